"""What an answer means, whatever its status says."""

from __future__ import annotations

import json

import pytest

from services.scoring import understand


def twice(document: object) -> str:
    return json.dumps(json.dumps(document))


def test_the_answer_of_an_automl_script_is_json_inside_a_string():
    assert understand(200, twice({"result": ["yes", "no"]})).results == ("yes", "no")


@pytest.mark.parametrize(
    "body", ['{"result": ["no"]}', '{"Results": ["no"]}', '["no"]', '{"predictions": ["no"]}']
)
def test_other_common_shapes_are_read_too(body):
    assert understand(200, body).results == ("no",)


def test_a_200_with_an_error_inside_is_a_failure():
    meaning = understand(200, twice({"error": "The column age is missing"}))

    assert meaning.results == ()
    assert meaning.error == "The scoring script failed: The column age is missing."


def test_a_200_with_only_a_message_is_a_failure():
    assert "no luck" in understand(200, '{"message": "no luck"}').error


def test_a_message_beside_results_is_no_failure():
    assert understand(200, '{"message": "ok", "result": ["no"]}').error == ""


def test_a_header_that_reports_a_failed_run_is_believed():
    meaning = understand(200, '["no"]', headers={"x-ms-run-function-failed": "True"})

    assert "reports that it failed" in meaning.error


def test_a_200_that_is_a_web_page_is_a_failure_and_the_page_is_not_shown():
    meaning = understand(200, "<html>login</html>")

    assert "no JSON" in meaning.error
    assert "<" not in meaning.error


def test_probabilities_as_numbers_get_the_names_of_the_classes():
    meaning = understand(200, twice({"result": [[0.2, 0.8], [0.9, 0.1]]}), classes=("no", "yes"))

    assert meaning.results == ("yes", "no")
    assert meaning.probabilities == ({"no": 0.2, "yes": 0.8}, {"no": 0.9, "yes": 0.1})


def test_probabilities_beside_the_labels_are_read():
    body = json.dumps({"result": ["yes"], "probabilities": [{"no": 0.3, "yes": 0.7}]})

    meaning = understand(200, body)

    assert meaning.results == ("yes",)
    assert meaning.probabilities == ({"no": 0.3, "yes": 0.7},)


def test_numbers_that_do_not_sum_to_one_are_no_probabilities():
    meaning = understand(200, "[[1.0, 8.0]]", classes=("no", "yes"))

    assert meaning.probabilities == ()
    assert meaning.results == ([1.0, 8.0],)


def test_a_regression_answers_numbers():
    assert understand(200, '{"result": [12.5]}').results == (12.5,)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "could not read the request: “age” is missing."),
        (401, "did not accept the key"),
        (404, "Nothing answers at this scoring URI"),
        (413, "larger than the deployment accepts"),
        (503, "not ready (503)"),
        (418, "answered 418"),
    ],
)
def test_a_refusal_says_what_it_means_and_what_the_server_said(status, said):
    assert said in understand(status, json.dumps({"message": "“age” is missing"})).error


def test_a_long_detail_is_cut():
    assert len(understand(500, "x" * 5000).error) < 400
