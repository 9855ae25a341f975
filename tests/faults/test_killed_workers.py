"""kill -9 of the workers that come and go, and of the dashboard itself: told, and done anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.domain import (
    AutoMLSettings,
    DataSource,
    DeploymentState,
    EvaluationPlan,
    FlowStepState,
    RunStatus,
    SourceKind,
)
from services.local.process_table import ProcessTable
from services.local.workspace import open_workspace
from tests import scoring_models
from tests.e2e.running import ROOT, dashboard
from tests.recorded import evaluations
from tests.scoring_home import ScoringHome

ROW = (1, "kill -9 of each worker and the dashboard")
LIMIT_S = 120.0
ROWS = "age,job,y\n" + "".join(f"{20 + n % 40},job{n % 3},{n % 2}\n" for n in range(400))
ELSEWHERE = {  # who is killed where, so that nothing is killed twice
    "capacity search (its steps are load tests)": (
        "tests/adapters/test_capacity.py",
        "test_a_search_whose_step_and_supervisor_were_killed_goes_on",
    ),
    "retrain worker": (
        "tests/adapters/test_local_retraining_loop.py",
        "test_a_killed_worker_is_told_of",
    ),
    "retrain worker, with the supervisor": (
        "tests/adapters/test_local_retraining_loop.py",
        "test_what_was_lost_with_the_workspace_is_taken_up_again",
    ),
    "pipeline worker in its second step (training)": (
        "tests/adapters/test_local_pipelines.py",
        "test_a_killed_worker_leaves_its_run_failed_with_the_reason",
    ),
    "watcher of an Azure workspace": (
        "tests/adapters/test_watching_elsewhere.py",
        "test_it_watches_survives_a_kill_and_ends_with_the_dashboard",
    ),
    "log collector, golden rounds, messenger (threads of the watcher)": (
        "tests/adapters/test_local_alerts.py",
        "test_the_watcher_killed_at_any_moment_tells_everything_once",
    ),
}


def until(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def worker(table: ProcessTable, key: str) -> psutil.Process:
    seen = until(lambda: (found := table.observed(key)) and found.running and found)
    return psutil.Process(seen.ref.pid)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    evaluations.dataset(home.workspace, evaluations.rows(1))
    home.start()
    yield home
    home.end()


def test_an_evaluation_worker(home, figures):
    plan = EvaluationPlan(
        model_id=evaluations.model(home.workspace), against=evaluations.model(home.workspace)
    )
    port = home.workspace.evaluations
    with figures.timed("evaluation worker", "killed as it starts") as said:
        begun = port.begin(plan)
        worker(home.table, f"evaluation/{begun.id}").kill()
        until(lambda: port.get(begun.id).status.settled)
        found = port.get(begun.id)
        said.append(f"{found.status}: {found.error}")
    assert found.status is RunStatus.FAILED and found.error

    with figures.timed("evaluation worker", "asked again") as said:
        again = port.begin(plan)
        until(lambda: port.get(again.id).status.settled)
        assert port.get(again.id).status is RunStatus.COMPLETED, port.get(again.id).error
        said.append("answered")


def test_the_flow_worker(home, figures):
    port = home.workspace.flow

    def steps() -> list[FlowStepState]:
        return [step.state for step in port.progress().steps]

    with figures.timed("flow worker", "killed as it starts") as said:
        port.begin()
        worker(home.table, "flow").kill()
        until(lambda: not port.progress().running)
        (failed,) = [s for s in port.progress().steps if s.state is FlowStepState.FAILED]
        said.append(f"“{failed.title}”: {failed.detail}")
    assert failed.detail
    assert FlowStepState.RUNNING not in steps()

    with figures.timed("flow worker", "asked again, killed while it trains") as said:
        port.begin()
        search_id = until(lambda: port.progress().steps[1].result_id)
        first = worker(home.table, "flow")
        first.kill()
        until(lambda: not port.progress().running)
        assert steps().count(FlowStepState.FAILED) == 1
        until(lambda: home.workspace.runs.get(search_id).status.settled)
        done = steps().count(FlowStepState.DONE)
        said.append(f"{done} steps done and kept, one told as interrupted, its search canceled")
    assert FlowStepState.RUNNING not in steps()
    assert home.workspace.runs.get(search_id).status is RunStatus.CANCELED


def test_the_dashboard(tmp_path, figures):
    home = tmp_path / "workspace"
    workspace = open_workspace(home)
    scoring_models.register(home, workspace.store, "bank:1")
    source = DataSource(kind=SourceKind.UPLOAD, location="p.csv", content=ROWS.encode())
    workspace.datasets.register("people", source)
    settings = AutoMLSettings(
        experiment="people",
        dataset_id="people:1",
        label_column_name="y",
        iterations=200,
        enable_early_stopping=False,
    )

    def state() -> DeploymentState:
        return workspace.deployments.get("bank").state

    with dashboard(home, tmp_path / "first.log") as running:
        workspace.deployments.begin_create("bank", "bank:1")
        run = workspace.runs.begin_automl(settings)
        until(lambda: state() is DeploymentState.HEALTHY and workspace.runs.children(run.id))
        family = running.family()
        with figures.timed("dashboard", "killed; a deployment serves, a search runs") as said:
            running.process.kill()
            assert psutil.wait_procs(family, timeout=LIMIT_S)[1] == []
            said.append(f"its {len(family)} processes end")
    assert state() is not DeploymentState.HEALTHY  # nothing serves it

    with figures.timed("dashboard", "started again") as said:
        with dashboard(home, tmp_path / "second.log"):
            until(lambda: state() is DeploymentState.HEALTHY)
            until(lambda: workspace.runs.get(run.id).status.settled)
            found = workspace.runs.get(run.id)
        said.append(f"bank is Healthy; the run {found.status}: {found.error}")
    assert found.status is RunStatus.FAILED and found.error


@pytest.mark.parametrize("who", ELSEWHERE)
def test_who_is_killed_elsewhere(who, figures):
    path, name = ELSEWHERE[who]
    assert f"def {name}(" in (ROOT / path).read_text("utf-8")
    figures.add(who, "killed", f"{Path(path).stem}: {name.removeprefix('test_').replace('_', ' ')}")
