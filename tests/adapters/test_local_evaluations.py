"""Evaluations over real models: trained here in a second, judged by the worker's own code."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from services.domain import EvaluationPlan, RunStatus, Verdict
from services.errors import InvalidRequestError, NotFoundError
from services.local import evaluation_worker, lifeline
from services.local.evaluation_duty import EvaluationDuty
from services.local.workspace import open_workspace
from tests.recorded.evaluations import ROWS, dataset, model, rows


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(lifeline, "follow", lambda: None)  # this process is its own
    workspace = open_workspace(tmp_path / "workspace")
    dataset(workspace, rows(1))
    dataset(workspace, rows(2))
    return workspace


def answered(workspace, **plan):
    """Begin it, let the worker answer it here, and read it."""
    begun = workspace.evaluations.begin(EvaluationPlan(**plan))
    assert begun.status is RunStatus.QUEUED
    evaluation_worker.main([str(workspace.home), begun.id])
    return workspace.evaluations.get(begun.id)


def test_two_models_of_the_same_seed_cannot_be_told_apart(workspace):
    one, two = model(workspace), model(workspace)

    found = answered(workspace, model_id=two, against=one)

    assert found.status is RunStatus.COMPLETED, found.error
    assert found.difference.verdict is Verdict.UNDECIDED
    assert found.difference.row_count == ROWS / 2
    assert "600 rows of bank:1 that training held out" in found.rows


@pytest.mark.parametrize("dataset_id", [None, "bank:2"])
def test_a_degraded_model_is_worse_on_either_kind_of_rows(workspace, dataset_id):
    good, bad = model(workspace), model(workspace, noise=0.95)

    found = answered(workspace, model_id=bad, against=good, dataset_id=dataset_id)

    assert found.status is RunStatus.COMPLETED, found.error
    assert found.difference.verdict is Verdict.WORSE
    assert found.difference.low < found.difference.value < found.difference.high < 0


def test_rows_a_model_has_learnt_from_are_left_out(workspace):
    known = model(workspace)
    mixed = pd.concat([rows(1).iloc[:700], rows(5, 400)])
    dataset(workspace, mixed)

    found = answered(workspace, model_id=known, dataset_id="bank:3")

    assert found.row_count == 400
    assert found.rows == "400 rows of bank:3 that are new to the model"


def test_it_is_said_plainly_when_no_new_rows_are_left(workspace):
    known = model(workspace)

    found = answered(workspace, model_id=known, dataset_id="bank:1")

    assert found.status is RunStatus.FAILED
    assert "Only 0 of the 1,200 rows of bank:1 are new" in found.error


def test_models_of_different_datasets_have_no_held_out_rows_in_common(workspace):
    one, two = model(workspace), model(workspace, dataset_id="bank:2")

    found = answered(workspace, model_id=two, against=one)

    assert found.status is RunStatus.FAILED
    assert "different dataset versions" in found.error


def test_a_model_without_held_out_predictions_says_so(workspace):
    known = model(workspace, held=False)

    found = answered(workspace, model_id=known)

    assert "kept no held-out predictions" in found.error


def test_slices_of_a_column_add_up_to_all_rows(workspace):
    found = answered(workspace, model_id=model(workspace))

    by_column = {}
    for each in found.slices:
        by_column[each.column] = by_column.get(each.column, 0) + each.row_count
    assert by_column == dict.fromkeys(["age", "job", "rate"], found.row_count)
    assert all(each.thin is (each.row_count < 50) for each in found.slices)


def test_the_same_question_is_asked_once_and_a_failed_one_again(workspace):
    known = model(workspace, held=False)
    failed = answered(workspace, model_id=known)

    again = workspace.evaluations.begin(failed.plan)
    once_more = workspace.evaluations.begin(failed.plan)

    assert again.status is RunStatus.QUEUED
    assert once_more == again
    assert len(workspace.evaluations.list()) == 1


def test_what_is_not_registered_is_refused_at_once(workspace):
    known = model(workspace)

    with pytest.raises(NotFoundError):
        workspace.evaluations.begin(EvaluationPlan(model_id="nobody:1"))
    with pytest.raises(NotFoundError):
        workspace.evaluations.begin(EvaluationPlan(model_id=known, dataset_id="bank:9"))
    with pytest.raises(InvalidRequestError):
        workspace.evaluations.begin(EvaluationPlan(model_id=known, against=known))


def test_the_supervisor_is_told_of_one_evaluation_at_a_time(workspace):
    duty = EvaluationDuty(workspace.home, workspace.store)
    one, two = model(workspace), model(workspace)
    workspace.evaluations.begin(EvaluationPlan(model_id=one))
    workspace.evaluations.begin(EvaluationPlan(model_id=two))

    (first,) = duty.programs()
    evaluation_worker.main([*first.args])
    (second,) = duty.programs()

    assert first.key != second.key
    json.dumps([first.args, second.args])
