"""What run history says of a run, as our record."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from services.azure.run_records import (
    EPOCH,
    ensemble_members,
    experiment_record,
    run_record,
    saved_dataset_id,
    status,
)
from services.azure.run_settings import automl_settings
from services.domain import RunKind, RunStatus, Task

# Source: azureml-core 1.61.0, ``azureml._restclient.constants.RunStatus``, and the words of
# the pipelines service.
AZURES_WORDS = {
    **{word: word for word in RunStatus if word is not RunStatus.UNKNOWN},
    "Finished": RunStatus.COMPLETED,
    "Bypassed": RunStatus.COMPLETED,
    "Cancelled": RunStatus.CANCELED,
    "Canceling": RunStatus.CANCEL_REQUESTED,
    "Pausing": RunStatus.PAUSED,
    "Unapproved": RunStatus.NOT_STARTED,
}
SETTINGS = {
    "path": None,
    "name": "placeholder",
    "iterations": 1000,
    "primary_metric": "accuracy",
    "task_type": "classification",
    "validation_size": 0.0,
    "n_cross_validations": "auto",
    "featurization": "auto",
    "max_concurrent_iterations": 5,
    "experiment_timeout_minutes": 30,
    "model_explainability": True,
    "enable_onnx_compatible_models": False,
    "enable_early_stopping": True,
    "enable_ensembling": True,
    "enable_stack_ensembling": False,
    "label_column_name": "died",
    "dataset_id": "3689506b-c445-4bd7-a527-46695ffe5ece",
}


def parent(**changed) -> dict:
    return {
        "runId": "AutoML_1",
        "runNumber": 1708700912,
        "status": "Completed",
        "createdUtc": "2024-02-23T15:08:32.8845306+00:00",
        "startTimeUtc": "2024-02-23T15:09:06.984Z",
        "endTimeUtc": "2024-02-23T15:18:26.583Z",
        "runType": "automl",
        "properties": {
            "runTemplate": "AutoML",
            "primary_metric": "accuracy",
            "EnableSubsampling": None,
            "AMLSettingsJsonString": json.dumps(SETTINGS),
        },
        "tags": {
            "score_000": "0.093;nan;0.087",
            "iteration_000": "0;1;2",
            "score_001": "0.5",
            "iteration_001": "3",
            "automl_best_child_run_id": "AutoML_1_2",
        },
    } | changed


def record(item, **known):
    return run_record(item, experiment="heart", datasets=known)


@pytest.mark.parametrize(("word", "ours"), AZURES_WORDS.items())
def test_every_word_of_azure_has_one_of_ours(word, ours):
    assert status(word) is RunStatus(ours)


def test_a_word_nobody_has_met_is_unknown_and_logged(caplog):
    assert status("Pondering") is RunStatus.UNKNOWN
    assert "Pondering" in caplog.text
    assert status(None) is RunStatus.UNKNOWN


def test_a_parent_has_its_best_childs_score_without_another_question():
    run = record(parent(), **{SETTINGS["dataset_id"]: "heart-failure:3"})

    assert (run.kind, run.score, run.best_child_id) == (RunKind.AUTOML, 0.087, "AutoML_1_2")
    assert run.dataset_id == "heart-failure:3"
    assert run.created_at == datetime(2024, 2, 23, 15, 8, 32, 884530, tzinfo=UTC)
    assert "EnableSubsampling" not in run.properties


@pytest.mark.parametrize("best", ["AutoML_1_1", "AutoML_1_9"])
def test_a_score_that_is_no_number_is_absent(best):
    tags = parent()["tags"] | {"automl_best_child_run_id": best}

    assert record(parent(tags=tags)).score is None


def test_scores_continue_in_the_next_tag():
    tags = parent()["tags"] | {"automl_best_child_run_id": "AutoML_1_3"}

    assert record(parent(tags=tags)).score == 0.5


def test_the_dataset_is_found_in_the_escaped_description_of_the_training_data():
    escaped = '{\\"training_data\\": {\\"datasetId\\": \\"abc\\"}, \\"datasets\\": 0}'

    assert saved_dataset_id(parent(properties={"DataPrepJsonString": escaped})) == "abc"


def test_a_run_of_sdk_v2_names_its_dataset_itself():
    uri = "azureml://locations/eastus2/workspaces/1/data/bikes/versions/4"
    data = json.dumps({"Type": "MLTable", "TrainData": {"Uri": uri}})

    assert record(parent(properties={"mltable_data_json": data})).dataset_id == "bikes:4"


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        (
            {"run_preprocessor": "MaxAbsScaler", "run_algorithm": "LightGBM"},
            "MaxAbsScaler, LightGBM",
        ),
        ({"run_preprocessor": "", "run_algorithm": "VotingEnsemble"}, "VotingEnsemble"),
        ({}, "plum_sky"),
    ],
)
def test_a_candidate_is_named_after_what_was_tried(properties, name):
    item = parent(
        runType=None,
        displayName="plum_sky",
        parentRunId="AutoML_1",
        properties={"runTemplate": "automl_child", "score": "0.9", **properties},
    )

    assert (record(item).display_name, record(item).score) == (name, 0.9)
    assert record(item).kind is RunKind.AUTOML_CHILD


@pytest.mark.parametrize(("number", "shown"), [(1708700912, 7), (12, 12)])
def test_a_candidate_is_counted_where_azure_writes_a_time(number, shown):
    properties = {"runTemplate": "automl_child", "iteration": "7"}

    assert record(parent(runNumber=number, properties=properties)).number == shown


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"runType": "azureml.PipelineRun", "properties": {}}, RunKind.PIPELINE),
        ({"runType": None, "properties": {"azureml.runsource": "azureml.StepRun"}}, RunKind.STEP),
        ({"runType": "azureml.scriptrun", "properties": None}, RunKind.OTHER),
    ],
)
def test_what_ran_is_told_by_type_or_source(changed, kind):
    assert record(parent(**changed)).kind is kind


def test_the_reason_of_a_failure_is_one_line_without_a_signature():
    message = "Cannot read https://st.blob.core.windows.net/a?se=2030&sig=S3CR3T%3D&sp=r\nTrace …"
    run = record(
        parent(status="Failed", error={"error": {"code": "UserError", "message": message}})
    )

    assert run.error == "Cannot read https://st.blob.core.windows.net/a?se=2030&sig=…&sp=r"


@pytest.mark.parametrize(
    "changed",
    [
        {"createdUtc": "yesterday"},
        {"createdUtc": None, "startTimeUtc": None},
        {"properties": ["no", "mapping"]},
        {"runNumber": "seven"},
        {"properties": {"score": "high"}, "tags": {}},
        {"error": {"error": "not an object"}},
    ],
)
def test_a_record_that_cannot_be_read_is_shown_as_such(changed):
    run = record(parent(**changed))

    assert (run.id, run.status, run.created_at) == ("AutoML_1", RunStatus.UNKNOWN, EPOCH)
    assert "cannot be read" in run.error


def test_what_is_no_record_at_all_is_shown_too():
    assert record("nonsense").status is RunStatus.UNKNOWN
    assert experiment_record({"createdUtc": "2024-02-23T15:08:32Z"}) is None


def test_settings_come_back_in_our_words():
    found = automl_settings(record(parent(), **{SETTINGS["dataset_id"]: "heart-failure:3"}))

    assert (found.experiment, found.dataset_id) == ("heart", "heart-failure:3")
    assert (found.label_column_name, found.task) == ("died", Task.CLASSIFICATION)
    assert (found.iterations, found.validation_size, found.n_cross_validations) == (None,) * 3
    assert (found.enable_voting_ensemble, found.enable_stack_ensemble) == (True, False)
    assert (found.max_concurrent_iterations, found.experiment_timeout_minutes) == (5, 30.0)


def test_members_of_an_ensemble_come_heaviest_first():
    found = ensemble_members(
        {
            "ensembled_run_ids": "['AutoML_1_21', 'AutoML_1_33']",
            "ensembled_algorithms": "['LightGBM', 'XGBoostClassifier']",
            "ensemble_weights": "[0.25, 0.75]",
        }
    )

    assert [(each.run_id, each.weight) for each in found] == [
        ("AutoML_1_33", 0.75),
        ("AutoML_1_21", 0.25),
    ]
    assert ensemble_members({}) == ()


@pytest.mark.parametrize("weights", ["[0.25]", "[0.25, 0.", "0.25"])
def test_lists_that_do_not_fit_together_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights|argument"):
        ensemble_members(
            {
                "ensembled_run_ids": "['a', 'b']",
                "ensembled_algorithms": "['c', 'd']",
                "ensemble_weights": weights,
            }
        )
