"""What people's own scripts ask of runs, through the SDK's classes, against Azure on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.domain import RunStatus
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import runs as recorded


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(scope="module")
def parent(azure: Double) -> str:
    return recorded.automl(azure.engine.home, azure.engine.store)


@pytest.fixture(scope="module")
def workspace(azure: Double):
    return open_azure(azure).connection.call("workspace", lambda found: found)


@pytest.fixture(autouse=True)
def _foreseen(azure: Double) -> Iterator[None]:
    yield
    assert azure.unknown() == []


def test_the_best_child_is_found_by_the_parents_tag(azure, workspace, parent):
    from azureml.core import Experiment, Run

    experiment = Experiment(workspace, "bank-marketing")
    run = next(iter(experiment.get_runs()))

    assert (run.id, run.get_status(), run.type) == (parent, "Completed", "automl")
    best = Run(experiment, run.tags["automl_best_child_run_id"])
    assert best.id == azure.engine.runs.get(parent).best_child_id
    assert Run.get(workspace, best.id).parent.id == parent
    assert [each.id for each in Run.list(experiment, status="Failed", include_children=True)] == [
        f"{parent}_3"
    ]


def test_metrics_charts_and_files_of_a_child(azure, workspace, parent, tmp_path):
    from azureml.core import Run

    best = Run.get(workspace, azure.engine.runs.get(parent).best_child_id)
    logged = best.get_metrics()
    best.download_file("confusion_matrix", str(tmp_path / "matrix.json"))

    there = azure.engine.runs.metrics([best.id])[best.id]
    assert logged["accuracy"] == pytest.approx(there["accuracy"])
    assert logged["confusion_matrix"].startswith("aml://artifactId/ExperimentRun/dcid.")
    assert json.loads((tmp_path / "matrix.json").read_text())["schema_version"] == "1.0.0"
    assert set(azure.engine.runs.files(best.id)) - {"explanation/global.json"} <= set(
        best.get_file_names()
    )
    details = best.get_details_with_logs()
    assert details["status"] == "Completed"


def test_leaderboard_by_children_and_by_a_recursive_query(workspace, parent):
    from azureml.core import Run

    run = Run.get(workspace, parent)
    children = list(run.get_children())
    candidates = run.get_children(recursive=True, properties={"runTemplate": "automl_child"})

    assert len(children) == 6
    assert {each.id for each in candidates} == {each.id for each in children}
    assert [each.id for each in run.get_children(status="Failed")] == [f"{parent}_3"]


def test_tagging_and_canceling(azure, workspace, parent):
    from azureml.core import Run

    run = Run.get(workspace, parent)
    run.tag("owner", "ops")
    run.cancel()

    assert azure.engine.runs.get(parent).tags["owner"] == "ops"
    assert azure.engine.runs.get(parent).status is RunStatus.COMPLETED


def test_an_experiment_that_is_named_is_created(azure, workspace):
    from azureml.core import Experiment

    assert Experiment(workspace, "fresh").id
    assert "fresh" in [each.name for each in azure.engine.runs.experiments()]
    assert [each.name for each in Experiment.list(workspace, experiment_name="fresh")] == ["fresh"]
