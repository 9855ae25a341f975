"""kill -9 of the training worker at each step of a run: it failed, and nothing else is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from services.domain import AutoMLSettings, DataSource, RunStatus, SourceKind
from services.local import processes
from services.local.automl_run import SCRATCH
from services.local.workspace import LocalWorkspace, open_workspace
from tests import scoring_models
from tests.faults import mortal_training

ROW = (1, "kill -9 of the training worker at each step")
LIMIT_S = 180.0
SETTINGS = AutoMLSettings(
    experiment="people", dataset_id="people:1", label_column_name="y", iterations=2
)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def supervisor(workspace: LocalWorkspace) -> Iterator[psutil.Process]:
    log = workspace.home / "logs" / "supervisor.log"
    spawned = processes.spawn(
        "tests.faults.mortal_training", str(workspace.home), "--lifeline", log=log
    )
    yield psutil.Process(spawned.pid)
    spawned.terminate()
    spawned.wait(timeout=60)
    spawned.stdin.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> LocalWorkspace:
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    rows = scoring_models.data().to_csv(index=False).encode()
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=rows)
    workspace.datasets.register("people", source)
    return workspace


def trained(workspace: LocalWorkspace, kill_at: str) -> str:
    """The id of a run that was killed at this step, once it has settled."""
    (workspace.home / mortal_training.KILL_AT).write_text(kill_at, encoding="utf-8")
    run_id = workspace.runs.begin_automl(SETTINGS).id
    until(lambda: workspace.runs.get(run_id).status.settled)
    return run_id


@pytest.mark.parametrize("step", mortal_training.STEPS)
def test_killed(workspace, supervisor, figures, step):
    with figures.timed("training worker", f"killed before {step}") as said:
        run = workspace.runs.get(trained(workspace, step))
        children = workspace.runs.children(run.id)
        done = [each for each in children if each.status is RunStatus.COMPLETED]
        said.append(f"{run.status}: {run.error} {len(done)} of {len(children)} child runs stay")

    assert run.status is RunStatus.FAILED and "start" in run.error
    assert all(each.status.settled for each in children)
    for each in done:  # what counts as done is there
        assert workspace.runs.file(each.id, "outputs/model.pkl")
        assert workspace.runs.metrics([each.id])[each.id]
    assert not (workspace.home / "runs" / run.id / SCRATCH).exists()
    until(lambda: not [each for each in supervisor.children(recursive=True) if _fits(each)])


def _fits(process: psutil.Process) -> bool:
    """Whether it is a worker, or one of its pool."""
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "mortal_training" in line or "spawn_main" in line


def test_not_killed(workspace, supervisor, figures):
    with figures.timed("training worker", "not killed, after all that") as said:
        run = workspace.runs.get(trained(workspace, "never"))
        assert run.status is RunStatus.COMPLETED, run.error
        said.append(f"{run.status}, {len(workspace.runs.children(run.id))} child runs")
    assert workspace.models.register(run.id, "people").version == 1
