"""Live scoring: a form and its JSON, an answer and how it came about, and files of rows."""

from __future__ import annotations

import csv
import io
import json

import pytest

from services.errors import InvalidRequestError, UnavailableError
from services.local.scoring import LocalScoring
from tests.stub_deployment import (
    BAD,
    CONTRACT,
    GOOD,
    PRIMARY,
    SECONDARY,
    deploy,
    report_healthy,
    serving,
)

TYPICAL = {"age": 38, "job": "admin.", "pdays": 999, "euribor3m": 4.857}


def field(name: str) -> str:
    return f"live_scoring.field.{name}"


@pytest.fixture
def stub():
    with serving() as stub:
        yield stub


@pytest.fixture
def deployed(home, local_workspace, stub):
    """A deployment whose every answer the test decides."""
    deploy(home, local_workspace.store, stub.port)
    return stub


def by_row(document) -> str:
    """An answer with one label per row: yes to the young."""
    labels = ["yes" if row["age"] < 40 else "no" for row in document["data"]]
    return json.dumps(json.dumps({"result": labels}))


def texts(page) -> str:
    shown = [*page.caption, *page.markdown, *page.warning, *page.error, *page.info]
    return "\n".join(each.value for each in shown)


def metrics(page) -> dict[str, str]:
    return {each.label: each.value for each in page.metric}


def score(page):
    return page.button(key="live_scoring.score").click().run()


def test_an_empty_workspace_says_what_to_do_next(open_page):
    page = open_page("live_scoring")

    assert not page.exception
    assert "Nothing is deployed yet" in texts(page)


def test_the_form_has_the_right_widget_and_a_typical_value_per_column(open_page, deployed):
    page = open_page("live_scoring")

    assert not page.exception
    assert page.number_input(key=f"{field('age')}.whole").value == 38
    assert page.number_input(key=f"{field('euribor3m')}.decimal").value == 4.857
    assert page.selectbox(key=field("job")).value == "admin."
    assert page.selectbox(key=field("job")).options == ["admin.", "blue-collar", "technician"]
    assert "17…98" in page.number_input(key=f"{field('age')}.whole").label
    assert "999 = none" in page.number_input(key=f"{field('pdays')}.whole").label


def test_one_click_answers_the_label(open_page, deployed):
    page = score(open_page("live_scoring"))

    assert not page.exception
    assert deployed.bodies == [{"data": [TYPICAL]}]
    assert metrics(page)["y"] == "no"
    assert metrics(page)["run() time"] == "2.50 ms"
    assert metrics(page)["Attempts"] == "1"


def test_probabilities_are_shown_where_they_are_asked_for(open_page, deployed):
    deployed.answer = lambda _, body: (200, json.dumps(json.dumps({"result": [[0.07, 0.93]]})))

    page = open_page("live_scoring")
    page.toggle(key="live_scoring.probabilities").set_value(True).run()
    page = score(page)

    assert deployed.bodies[0]["method"] == "predict_proba"
    assert metrics(page)["y"] == "yes"
    assert "93.0 % sure" in [each.delta for each in page.metric]


def test_a_script_that_takes_a_method_is_asked_for_probabilities_until_switched_off(
    open_page, home, local_workspace, deployed
):
    schema = {"ServiceInput": {"properties": {"data": {}, "method": {}}}}
    deployed.swagger = {"components": {"schemas": schema}}
    report_healthy(local_workspace.store)

    page = open_page("live_scoring")

    assert page.toggle(key="live_scoring.probabilities").value is True
    page.toggle(key="live_scoring.probabilities").set_value(False).run()
    assert page.toggle(key="live_scoring.probabilities").value is False
    score(page)
    assert "method" not in deployed.bodies[0]


def test_json_without_a_method_is_sent_without_one(open_page, local_workspace, deployed):
    schema = {"ServiceInput": {"properties": {"data": {}, "method": {}}}}
    deployed.swagger = {"components": {"schemas": schema}}
    report_healthy(local_workspace.store)

    page = open_page("live_scoring", input="JSON")
    page.text_area(key="live_scoring.text").set_value(json.dumps({"data": [TYPICAL]})).run()
    score(page)

    assert deployed.bodies == [{"data": [TYPICAL]}]


def test_a_changed_field_changes_the_json(open_page, deployed):
    page = open_page("live_scoring")
    page.number_input(key=f"{field('age')}.whole").set_value(57).run()
    page.selectbox(key=field("job")).select("technician").run()
    page.segmented_control(key="input").set_value("JSON").run()

    shown = json.loads(page.text_area(key="live_scoring.text").value)

    assert shown == {"data": [{**TYPICAL, "age": 57, "job": "technician"}]}


def test_changed_json_changes_the_form(open_page, deployed):
    page = open_page("live_scoring", input="JSON")
    row = {**TYPICAL, "age": 24, "job": "blue-collar"}
    page.text_area(key="live_scoring.text").set_value(json.dumps({"data": [row]})).run()
    page.segmented_control(key="input").set_value("Form").run()

    assert not page.exception
    assert page.number_input(key=f"{field('age')}.whole").value == 24
    assert page.selectbox(key=field("job")).value == "blue-collar"
    assert score(page) and deployed.bodies == [{"data": [row]}]


def test_an_unusual_value_is_warned_of_and_sent(open_page, deployed):
    page = open_page("live_scoring")
    page.number_input(key=f"{field('age')}.whole").set_value(120).run()

    assert "largest in the data is 98" in texts(page).replace("\\", "")
    page = score(page)
    assert deployed.bodies[0]["data"][0]["age"] == 120


def test_a_category_never_seen_is_warned_of_at_its_field_and_kept(open_page, deployed):
    page = open_page("live_scoring", input="JSON")
    row = {**TYPICAL, "job": "pilot"}
    page.text_area(key="live_scoring.text").set_value(json.dumps({"data": [row]})).run()
    page.segmented_control(key="input").set_value("Form").run()

    assert page.selectbox(key=field("job")).value == "pilot"
    assert "never been “pilot”" in texts(page).replace("\\", "")
    assert not page.button(key="live_scoring.score").disabled


def test_a_missing_column_is_named_in_json_and_at_its_field(open_page, deployed):
    page = open_page("live_scoring", input="JSON")
    row = {name: value for name, value in TYPICAL.items() if name != "age"}
    page.text_area(key="live_scoring.text").set_value(json.dumps({"data": [row]})).run()

    assert "“age” is missing" in texts(page)
    page.segmented_control(key="input").set_value("Form").run()
    assert not page.exception
    assert page.number_input(key=f"{field('age')}.whole").value is None
    assert "“age” is missing" in texts(page)
    assert page.button(key="live_scoring.score").disabled


def test_text_that_is_no_json_says_where_and_the_form_keeps_the_last_good_row(open_page, deployed):
    page = open_page("live_scoring", input="JSON")
    page.text_area(key="live_scoring.text").set_value('{"data": [').run()

    assert "line 1, column 11" in page.error[0].value
    assert page.button(key="live_scoring.score").disabled
    page.segmented_control(key="input").set_value("Form").run()
    assert page.number_input(key=f"{field('age')}.whole").value == 38
    page.segmented_control(key="input").set_value("JSON").run()
    assert page.text_area(key="live_scoring.text").value == '{"data": ['
    page.button(key="live_scoring.undo").click().run()
    assert json.loads(page.text_area(key="live_scoring.text").value) == {"data": [TYPICAL]}


def test_several_rows_are_edited_one_by_one_and_answered_together(open_page, deployed):
    deployed.answer = lambda _, body: (200, by_row(body))

    page = open_page("live_scoring")
    page.button(key="live_scoring.add").click().run()
    page.number_input(key=f"{field('age')}.whole").set_value(61).run()
    page = score(page)

    assert [row["age"] for row in deployed.bodies[0]["data"]] == [38, 61]
    predictions = next(each.value for each in page.dataframe if "Row" in each.value.columns)
    assert list(predictions["y"]) == ["yes", "no"]
    page.button(key="live_scoring.remove").click().run()
    assert not page.exception
    assert page.number_input(key=f"{field('age')}.whole").value == 38


def test_a_forced_503_shows_code_body_and_attempts(open_page, deployed, monkeypatch):
    deployed.answer = lambda *_: (503, "upstream is down")
    deployed.headers["Retry-After"] = "0"

    page = score(open_page("live_scoring"))

    assert "not ready (503): upstream is down" in page.error[0].value.replace("\\", "")
    assert metrics(page)["Attempts"] == "3"
    assert any("upstream is down" in each.value for each in page.code)
    assert len(deployed.requests) == 3


def test_an_error_inside_a_200_is_a_failure(open_page, deployed):
    deployed.answer = lambda *_: (200, BAD)

    page = score(open_page("live_scoring"))

    assert "the column age is missing" in page.error[0].value
    assert "y" not in metrics(page)


def test_no_key_reaches_the_page_or_the_session(open_page, deployed):
    page = score(open_page("live_scoring"))

    assert deployed.requests[0]["authorization"] == f"Bearer {PRIMARY}"
    everything = "\n".join(
        [
            texts(page),
            *(each.value for each in page.code),
            repr(page.session_state._state.filtered_state),
        ]
    )
    assert PRIMARY not in everything
    assert SECONDARY not in everything
    assert "Bearer ••••" in everything


def test_the_request_is_offered_for_other_programs_with_the_key_as_a_variable(open_page, deployed):
    page = open_page("live_scoring")
    page.segmented_control(key="live_scoring.language").set_value("Python").run()

    program = next(each.value for each in page.code if "urllib" in each.value)
    assert "SCORING_KEY" in program
    assert PRIMARY not in program


def test_the_payload_can_be_taken_to_the_load_test(open_page, home, local_workspace, deployed):
    deploy(home, local_workspace.store, deployed.port, name="bank-next")

    page = open_page("live_scoring", deployment="bank")
    page.number_input(key=f"{field('age')}.whole").set_value(57).run()
    page.switch_page("../pages/benchmark_results.py")  # as the link does, with what it carries
    page.query_params.update({"deployment": "bank", "payload": "live-scoring"})
    page.run()

    assert not page.exception
    assert page.title[0].value == "Benchmark results"
    assert page.selectbox(key="deployment").value == "bank"
    payload = json.loads(page.text_area(key="benchmark.payload").value)
    assert payload == {"data": [{**TYPICAL, "age": 57}]}


def test_a_link_chooses_the_deployment(open_page, home, local_workspace, deployed):
    deploy(home, local_workspace.store, deployed.port, name="bank-next")

    assert open_page("live_scoring", deployment="bank").selectbox(key="deployment").value == "bank"


def test_another_deployment_with_the_same_columns_is_asked_the_same(
    open_page, home, local_workspace, deployed
):
    deploy(home, local_workspace.store, deployed.port, name="bank-next")

    page = open_page("live_scoring", deployment="bank")
    page.number_input(key=f"{field('age')}.whole").set_value(57).run()
    page.selectbox(key="deployment").select("bank-next").run()

    assert page.number_input(key=f"{field('age')}.whole").value == 57


def test_without_a_contract_there_is_json_and_it_is_sent(open_page, home, local_workspace, stub):
    deploy(home, local_workspace.store, stub.port, contract=None)

    page = open_page("live_scoring")
    assert "Nothing is known about the rows" in texts(page)
    page.text_area(key="live_scoring.text").set_value('{"data": [{"x": 1}]}').run()
    page = score(page)

    assert stub.bodies == [{"data": [{"x": 1}]}]
    assert metrics(page)["prediction"] == "no"


def test_a_column_whose_name_is_markup_is_only_text(open_page, home, local_workspace, stub):
    from dataclasses import replace

    column = replace(CONTRACT.columns[0], name="<b>*age*</b>")
    deploy(home, local_workspace.store, stub.port, contract=replace(CONTRACT, columns=(column,)))

    page = score(open_page("live_scoring"))

    assert not page.exception
    assert stub.bodies[0]["data"] == [{"<b>*age*</b>": 38}]


def test_a_file_with_bad_rows_is_scored_around_them_in_input_order(open_page, deployed):
    deployed.answer = lambda _, body: (200, by_row(body))
    rows = [f"{20 + number % 50},admin.,999,4.8" for number in range(300)]
    rows[10], rows[150], rows[299] = "abc,admin.,999,4.8", ",admin.,999,4.8", "30,,999,4.8"
    content = "\n".join(["age,job,pdays,euribor3m", *rows]).encode()

    page = open_page("live_scoring", input="CSV file")
    page.file_uploader(key="live_scoring.file").upload("people.csv", content).run()
    for _ in range(20):
        if "Scored" in metrics(page):
            break
        page.run()

    assert not page.exception
    assert (metrics(page)["Scored"], metrics(page)["Without a score"]) == ("297", "3")
    problems = next(each.value for each in page.dataframe if "Reason" in each.value.columns)
    assert list(problems["Row"]) == [11, 151, 300]
    batch = page.session_state["live_scoring.batch"]
    scored = list(csv.DictReader(io.StringIO(batch.to_csv())))
    assert [row["prediction"] for row in scored[:3]] == ["yes", "yes", "yes"]
    assert scored[10]["error"].startswith("Row 11")


def test_a_file_without_a_column_is_refused_by_name(open_page, deployed):
    page = open_page("live_scoring", input="CSV file")
    page.file_uploader(key="live_scoring.file").upload("people.csv", b"age,job\n1,admin.\n").run()

    assert "“pdays”" in page.error[0].value
    assert deployed.requests == []


def test_a_server_that_stops_answering_pauses_the_file_and_keeps_the_scores(open_page, deployed):
    deployed.headers["Retry-After"] = "0"
    deployed.answer = lambda number, body: (200, by_row(body)) if number == 1 else (503, "gone")
    content = "age,job,pdays,euribor3m\n" + "30,admin.,999,4.8\n" * 150

    page = open_page("live_scoring", input="CSV file")
    page.file_uploader(key="live_scoring.file").upload("people.csv", content.encode()).run()
    for _ in range(20):
        if page.warning and "kept" in page.warning[-1].value:
            break
        page.run()

    assert "The rows scored so far are kept" in page.warning[-1].value
    assert page.session_state["live_scoring.batch"].scored_count == 100


def test_an_outage_is_a_sentence_not_a_traceback(open_page, deployed, monkeypatch):
    def outage(*_, **__):
        raise UnavailableError("Azure ML did not answer.")

    monkeypatch.setattr(LocalScoring, "score", outage)

    page = score(open_page("live_scoring"))

    assert not page.exception
    assert any("did not answer" in each.value for each in page.warning)
    assert GOOD not in texts(page)


def history(open_page, **address: str):
    return open_page("live_scoring", view="History", **address)


def test_every_request_is_in_the_history(open_page, deployed, local_workspace):
    score(open_page("live_scoring"))

    page = history(open_page)

    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["Answer"], row["Status"]) == ("no", 200)
    assert PRIMARY not in str(local_workspace.scored.list())


def test_a_request_sent_again_shows_what_changed(open_page, deployed, local_workspace):
    score(open_page("live_scoring"))
    deployed.answer = lambda number, body: (200, json.dumps(json.dumps({"result": ["yes"]})))
    (before,) = local_workspace.scored.list()

    page = history(open_page, request=before.id)
    page.button(key="scoring_history.again").click().run()

    assert not page.exception
    assert "1 of 1 row changed" in texts(page)
    (changed, _) = (each.value for each in page.dataframe)
    assert changed.to_dict("records") == [{"Row": 1, "Before": "no", "Now": "yes"}]
    assert local_workspace.scored.list()[0].of == before.id


def test_a_flipped_label_fails_the_golden_set_and_names_the_case(
    open_page, deployed, local_workspace
):
    score(open_page("live_scoring"))
    (request,) = local_workspace.scored.list()
    local_workspace.scored.name(request.id, "clerk of 38")
    local_workspace.scored.expect(request.id, ["no"])
    page = open_page("live_scoring", view="Golden set")
    page.button(key="scoring_golden.run").click().run()
    assert "All 1 pass" in "\n".join(each.value for each in page.success)

    local_workspace.scored.expect(request.id, ["yes"])
    page = open_page("live_scoring", view="Golden set")
    assert "The cases have changed" in page.info[0].value
    page.button(key="scoring_golden.run").click().run()

    assert "clerk of 38" in page.error[0].value
    assert page.dataframe[1].value["Verdict"].tolist() == ["FAIL", "pass"]
    assert page.dataframe[0].value["Verdict"].tolist() == ["FAIL"]
    assert "“no” instead of “yes”" in page.dataframe[0].value["Reason"][0]


def test_a_case_without_a_name_is_refused(open_page, deployed, local_workspace):
    score(open_page("live_scoring"))
    (request,) = local_workspace.scored.list()

    with pytest.raises(InvalidRequestError, match="name"):
        local_workspace.scored.expect(request.id, ["no"])
