"""kill -9 of the flow's worker at every step: that step is told as failed, no other is touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from services.domain import AssetStatus, DataSource, FlowStepState, LoadTestState, SourceKind
from services.local import processes
from services.local.process_table import ProcessTable
from services.local.workspace import LocalWorkspace, open_workspace
from tests import scoring_models
from tests.faults import quick_flow

ROW = (1, "kill -9 of the flow at each step")
LIMIT_S = 180.0
MOMENTS = (
    "dataset made",
    "training made",
    "deployment begun",
    "deployment made",
    "telemetry made",
    "scoring made",
    "benchmark begun",
    "benchmark made",
    "schedule made",
)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    home = tmp_path_factory.mktemp("workspace")
    workspace = open_workspace(home)
    scoring_models.register(home, workspace.store, quick_flow.MODEL)
    rows = scoring_models.data().to_csv(index=False).encode()
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=rows)
    assert workspace.datasets.register("people", source).id == quick_flow.DATASET
    supervisor = processes.spawn(
        "tests.faults.quick_flow", str(home), "--lifeline", log=home / "logs" / "supervisor.log"
    )
    yield workspace
    supervisor.terminate()
    supervisor.wait(timeout=60)
    supervisor.stdin.close()


def perform(workspace: LocalWorkspace, kill_at: str) -> list[FlowStepState]:
    """The whole flow, killed at a moment; how each step ended."""
    (workspace.home / quick_flow.KILL_AT).write_text(kill_at, encoding="utf-8")
    workspace.flow.begin()
    until(lambda: not workspace.flow.progress().running)
    return [step.state for step in workspace.flow.progress().steps]


def active_schedules(workspace: LocalWorkspace) -> int:
    return sum(each.status is AssetStatus.ACTIVE for each in workspace.schedules.list())


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed(workspace, figures, moment):
    key, _, how = moment.partition(" ")
    done = f"killed in the step {key}" + (", all made, nothing recorded" if how == "made" else "")
    with figures.timed("flow worker", done) as said:
        states = perform(workspace, moment)
        progress = workspace.flow.progress()
        place = [step.key for step in progress.steps].index(key)
        said.append(f"“{progress.steps[place].title}”: {progress.error}")

    assert states[:place] == [FlowStepState.DONE] * place
    assert states[place] is FlowStepState.FAILED
    assert states[place + 1 :] == [FlowStepState.WAITING] * (len(states) - place - 1)
    assert "was killed by signal 9" in progress.error and "again" in progress.error
    seen = ProcessTable(workspace.store).observed("flow")
    assert seen is not None and not seen.running
    until(lambda: all(test.state.settled for test in workspace.load_tests.list()))
    assert {test.state for test in workspace.load_tests.list()} <= {LoadTestState.COMPLETED}
    assert active_schedules(workspace) <= 1


def test_run_again_it_comes_through_and_nothing_is_there_twice(workspace, figures):
    with figures.timed("flow worker", f"let through after {len(MOMENTS)} kills") as said:
        states = perform(workspace, "never")
        assert set(states) == {FlowStepState.DONE}, workspace.flow.progress().error
        assert [each.name for each in workspace.deployments.list()] == ["bank-marketing"]
        assert active_schedules(workspace) == 1
        said.append("all seven steps done; one deployment, one active schedule")
