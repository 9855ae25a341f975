"""What every workspace promises about experiments and runs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from services.domain import (
    AutoMLSettings,
    Capability,
    DataSource,
    Run,
    RunKind,
    RunStatus,
    SourceKind,
)
from services.errors import InvalidRequestError, NotFoundError
from services.local.workspace import LocalWorkspace
from services.ports import Runs, Workspace

UNKNOWN = "AutoML_00000000-0000-0000-0000-000000000000"
EXPERIMENT = "contract-runs"


@pytest.fixture
def runs(workspace: Workspace) -> Runs:
    return workspace.runs


@pytest.fixture(scope="module")
def dataset_id(engine: LocalWorkspace) -> str:
    draw = random.Random(1)
    lines = ["age,job,y"]
    for _ in range(200):
        age, job = draw.randint(18, 80), draw.choice("abcd")
        taken = age / 20 + "abcd".index(job) + draw.gauss(0, 1) > 4
        lines.append(f"{age},{job},{'yes' if taken else 'no'}")
    source = DataSource(
        kind=SourceKind.UPLOAD, location="people.csv", content="\n".join(lines).encode()
    )
    return engine.datasets.register("contract-learners", source).id


def settings(dataset_id: str, **changes) -> AutoMLSettings:
    given = {
        "experiment": EXPERIMENT,
        "dataset_id": dataset_id,
        "label_column_name": "y",
        "experiment_timeout_minutes": 5,
        "n_cross_validations": 2,
        "iterations": 2,
    }
    return AutoMLSettings(**(given | changes))


@pytest.fixture(scope="module")
def trained(workspace: Workspace, engine: LocalWorkspace, dataset_id: str) -> Run:
    """A finished AutoML run: one for all tests, since it takes a while."""
    started = _training(workspace, engine).begin_automl(settings(dataset_id))
    deadline = time.monotonic() + 300
    while not (run := workspace.runs.get(started.id)).status.settled:
        assert time.monotonic() < deadline, workspace.runs.logs(run.id).text
        time.sleep(0.1)
    return run


def _training(workspace: Workspace, engine: LocalWorkspace) -> Runs:
    """Who starts a run: the workspace itself, or somebody else in it."""
    return (workspace if workspace.can(Capability.AUTOML_TRAINING) else engine).runs


def test_an_unknown_run_is_not_found(runs):
    asks: list[Callable[[str], object]] = [
        *(runs.get, runs.children, runs.ensemble, runs.explanation, runs.logs, runs.files),
        *(runs.automl_settings, runs.cancel),
        lambda run_id: runs.table(run_id, "confusion_matrix"),
        lambda run_id: runs.file(run_id, "outputs/model.pkl"),
    ]
    for ask in asks:
        with pytest.raises(NotFoundError, match=UNKNOWN):
            ask(UNKNOWN)


def test_an_unknown_run_has_no_metrics(runs):
    assert not runs.metrics([UNKNOWN])[UNKNOWN]
    assert not runs.metrics([])


def test_a_finished_run_is_listed_with_its_experiment(runs, trained):
    assert trained.status is RunStatus.COMPLETED, runs.logs(trained.id).text
    assert EXPERIMENT in [each.name for each in runs.experiments()]
    assert trained.id in [each.id for each in runs.list()]
    assert trained.id in [each.id for each in runs.list(EXPERIMENT)]
    assert trained.id not in [each.id for each in runs.list("another-experiment")]
    assert len(runs.list(limit=1)) == 1


def test_a_run_tells_what_it_was_and_when(trained, dataset_id):
    assert trained.kind is RunKind.AUTOML
    assert trained.parent_id is None
    assert (trained.experiment, trained.dataset_id) == (EXPERIMENT, dataset_id)
    assert trained.created_at <= trained.started_at <= trained.ended_at
    assert trained.primary_metric == "AUC_weighted"


def test_children_come_in_the_order_they_started_with_their_scores(runs, trained):
    children = runs.children(trained.id)

    assert [each.parent_id for each in children] == [trained.id] * len(children)
    assert [each.started_at for each in children] == sorted(each.started_at for each in children)
    assert all(each.kind is RunKind.AUTOML_CHILD for each in children)
    scored = [each for each in children if each.score is not None]
    best = max(scored, key=lambda each: each.score)
    assert trained.best_child_id == best.id
    assert trained.score == pytest.approx(best.score)
    assert all(each.id not in [run.id for run in runs.list()] for each in children)


def test_metrics_of_many_runs_come_at_once_under_azures_names(runs, trained):
    children = [each.id for each in runs.children(trained.id)]

    found = runs.metrics(children)

    assert set(found) == set(children)
    for values in found.values():
        assert 0 <= values["accuracy"] <= 1
        assert {"AUC_weighted", "f1_score_macro", "log_loss", "norm_macro_recall"} <= set(values)


def test_the_confusion_matrix_agrees_with_the_logged_accuracy(runs, trained):
    matrix = runs.table(trained.best_child_id, "confusion_matrix")["data"]["matrix"]
    right = sum(row[i] for i, row in enumerate(matrix))

    logged = runs.metrics([trained.best_child_id])[trained.best_child_id]["accuracy"]
    assert right / sum(map(sum, matrix)) == pytest.approx(logged, abs=0.02)
    assert runs.table(trained.best_child_id, "accuracy_table")["schema_version"] == "1.0.1"
    with pytest.raises(NotFoundError):
        runs.table(trained.best_child_id, "residuals")


def test_the_weights_of_an_ensemble_sum_to_one(runs, trained):
    voting = next(
        each for each in runs.children(trained.id) if each.display_name == "VotingEnsemble"
    )
    single = runs.children(trained.id)[0]

    members = runs.ensemble(voting.id)

    assert sum(each.weight for each in members) == pytest.approx(1)
    assert [each.weight for each in members] == sorted(
        (each.weight for each in members), reverse=True
    )
    assert {each.run_id for each in members} <= {each.id for each in runs.children(trained.id)}
    assert runs.ensemble(single.id) == ()


def test_an_explanation_covers_every_column_largest_first(runs, trained):
    found = runs.explanation(trained.best_child_id)

    assert {name for name, _ in found.raw} == {"age", "job"}
    assert [value for _, value in found.raw] == sorted(
        (value for _, value in found.raw), reverse=True
    )
    assert found.engineered
    assert found.method


def test_the_log_says_how_much_of_it_is_shown(runs, trained):
    everything = runs.logs(trained.id, line_limit=100_000)
    last = runs.logs(trained.id, line_limit=1)

    assert everything.complete
    assert (last.line_count, last.complete) == (1, False)
    assert everything.text.endswith(last.text)


def test_files_can_be_read_by_the_paths_that_are_listed(runs, trained):
    files = runs.files(trained.best_child_id)

    assert list(files) == sorted(files)
    assert "outputs/model.pkl" in files
    assert runs.file(trained.best_child_id, "outputs/model.pkl")
    for path in ("outputs/none.pkl", "../../workspace.db", "/etc/hostname", "outputs"):
        with pytest.raises(NotFoundError):
            runs.file(trained.best_child_id, path)


def test_a_run_can_be_started_again_with_its_settings(runs, trained, dataset_id):
    assert runs.automl_settings(trained.id) == settings(dataset_id)
    with pytest.raises(NotFoundError):
        runs.automl_settings(trained.best_child_id)


def test_canceling_a_settled_run_leaves_it_as_it_is(runs, trained):
    runs.cancel(trained.id)

    assert runs.get(trained.id) == trained


def test_a_canceled_run_ends_as_canceled(workspace, engine, runs, dataset_id, until):
    run = _training(workspace, engine).begin_automl(settings(dataset_id, iterations=500))

    runs.cancel(run.id)

    until(lambda: runs.get(run.id).status.settled)
    assert runs.get(run.id).status is RunStatus.CANCELED


def test_settings_that_cannot_be_run_start_nothing(workspace, runs, dataset_id):
    before = runs.list()
    if not workspace.can(Capability.AUTOML_TRAINING):
        with pytest.raises(InvalidRequestError, match="published pipeline"):
            runs.begin_automl(settings(dataset_id))
        assert runs.list() == before
        return

    with pytest.raises(NotFoundError, match="nowhere"):
        runs.begin_automl(settings("nowhere:1"))
    with pytest.raises(InvalidRequestError, match="“z”"):
        runs.begin_automl(settings(dataset_id, label_column_name="z"))

    assert runs.list() == before
