"""kill -9 of each process of a workspace at work: nothing hangs, nothing is left, all is told."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.domain import (
    AutoMLSettings,
    ComponentState,
    DataSource,
    DeploymentState,
    LoadTestPlan,
    LoadTestState,
    RunStatus,
    SourceKind,
)
from services.local.pipelines import worker_key as pipeline_key
from services.local.runs import worker_key as run_key
from services.ports import BatchInferencePlan
from tests import scoring_models
from tests.scoring_home import ScoringHome

ROW = (1, "kill -9 of each process")
LIMIT_S = 120.0
ROWS = "age,job,balance,contacted,y\n" + "".join(
    f"{20 + n % 40},job{n % 3},{n}.5,{n % 2 == 0},{n % 2}\n" for n in range(400)
)


def until(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    scoring_models.register(home.path, home.workspace.store, "bank:1")
    source = DataSource(kind=SourceKind.UPLOAD, location="p.csv", content=ROWS.encode())
    home.workspace.datasets.register("people", source)
    home.start()
    home.deploy("bank")
    until(lambda: home.workspace.components()[1].state is ComponentState.RUNNING)
    yield home
    while home.supervisors:
        home.end()
    until(lambda: not family(home.path))


def family(home: Path) -> list[psutil.Process]:
    """Every process anywhere that works for this workspace."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if str(home) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def process(home: ScoringHome, key: str) -> psutil.Process:
    seen = until(lambda: (found := home.table.observed(key)) and found.running and found)
    return psutil.Process(seen.ref.pid)


@pytest.mark.parametrize("key", ["telemetry", "watcher", "deployment/bank"])
def test_a_server_is_back(home, figures, key):
    first = process(home, key)
    with figures.timed(key, "killed") as said:
        first.kill()
        until(lambda: process(home, key).pid != first.pid)
        until(lambda: home.state("bank") is DeploymentState.HEALTHY)
        until(lambda: home.workspace.components()[1].state is ComponentState.RUNNING)
        said.append("started again; the workspace is whole")
    assert home.ask("bank").status_code == 200


def search(home: ScoringHome) -> str:
    settings = AutoMLSettings(
        experiment="people",
        dataset_id="people:1",
        label_column_name="y",
        iterations=100,
        enable_early_stopping=False,
    )
    return home.workspace.runs.begin_automl(settings).id


MOMENTS = {
    "as it starts": lambda home, run_id: True,
    "at its first child": lambda home, run_id: home.workspace.runs.children(run_id),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_training_worker(home, figures, moment):
    run_id = search(home)
    worker = process(home, run_key(run_id))
    until(lambda: MOMENTS[moment](home, run_id))
    helpers = worker.children(recursive=True)

    with figures.timed("training worker", f"killed {moment}") as said:
        worker.kill()
        until(lambda: home.workspace.runs.get(run_id).status.settled)
        found = home.workspace.runs.get(run_id)
        said.append(f"{found.status}: {found.error}")
    assert found.status is RunStatus.FAILED and found.error
    assert all(each.status.settled for each in home.workspace.runs.children(run_id))
    assert psutil.wait_procs(helpers, timeout=LIMIT_S)[1] == []


def test_a_load_test_worker(home, figures):
    plan = LoadTestPlan(
        deployment="bank", payload=scoring_models.payload(), seconds=30, concurrency=2
    )
    test = home.workspace.load_tests.begin(plan)
    worker = process(home, f"load_test/{test.id}")
    until(lambda: worker.children(recursive=True))
    helpers = worker.children(recursive=True)
    with figures.timed("load-test worker", "killed while ab runs") as said:
        worker.kill()
        until(lambda: home.workspace.load_tests.get(test.id).state.settled)
        found = home.workspace.load_tests.get(test.id)
        said.append(f"{found.state}: {found.error}; ab is gone")
    assert found.state is LoadTestState.FAILED and found.error
    assert psutil.wait_procs(helpers, timeout=LIMIT_S)[1] == []


def test_a_pipeline_worker(home, figures):
    plan = BatchInferencePlan(model_id="bank:1", dataset_id="people:1")
    pipelines = home.workspace.pipelines
    pipeline = pipelines.list() or (pipelines.publish_batch_inference("Score", plan),)
    run = pipelines.submit(pipeline[0].id, "people")
    worker = process(home, pipeline_key(run.id))
    with figures.timed("pipeline worker (batch scoring)", "killed as it starts") as said:
        worker.kill()
        until(lambda: pipelines.run(run.id).status.settled)
        found = pipelines.run(run.id)
        said.append(f"{found.status}: {found.error}")
    assert found.status is RunStatus.FAILED and found.error
    again = pipelines.submit(pipeline[0].id, "people")
    until(lambda: pipelines.run(again.id).status.settled)
    assert pipelines.run(again.id).status is RunStatus.COMPLETED, pipelines.run(again.id).error
    assert len(pipelines.batch_output(again.id)) == 400


def test_a_pipeline_worker_that_has_scored_half(home, figures):
    plan = BatchInferencePlan(model_id="bank:1", dataset_id="people:1", chunk_rows=1)
    pipelines = home.workspace.pipelines
    pipeline_id = pipelines.publish_batch_inference("Score row by row", plan).id
    run = pipelines.submit(pipeline_id, "people")
    worker = process(home, pipeline_key(run.id))
    until(lambda: (batch := pipelines.run(run.id).batch) and batch.done_count > 20)
    with figures.timed("pipeline worker (batch scoring)", "killed in its last step") as said:
        worker.kill()
        until(lambda: pipelines.run(run.id).status.settled)
        found = pipelines.run(run.id)
        scored = found.batch.done_count
        said.append(f"{found.status} with {scored} of {found.batch.total_count} rows done")
        said.append(found.error)
    kept = pipelines.batch_output(run.id)
    assert found.status is RunStatus.FAILED and "killed by signal 9" in found.error
    assert [step.status for step in pipelines.steps(run.id)] == [
        RunStatus.COMPLETED,
        RunStatus.COMPLETED,
        RunStatus.FAILED,
    ]
    # What counts as done is there, and no more than one row that does not count yet.
    assert 20 < scored <= len(kept) <= scored + 1 < found.batch.total_count == 400

    again = pipelines.submit(pipeline_id, "people", parameters={"chunk_rows": "150"})
    until(lambda: pipelines.run(again.id).status.settled)
    done = pipelines.run(again.id)
    assert done.status is RunStatus.COMPLETED, done.error
    assert (done.batch.done_count, done.batch.failed_count, done.batch.left_count) == (400, 0, 0)
    assert len(pipelines.batch_output(again.id)) == 400
    assert len(pipelines.batch_output(run.id)) == len(kept)


def test_the_supervisor_with_everything_at_work(home, figures):
    run_id = search(home)
    plan = LoadTestPlan(
        deployment="bank", payload=scoring_models.payload(), seconds=30, concurrency=1
    )
    test = home.workspace.load_tests.begin(plan)
    process(home, run_key(run_id))
    process(home, f"load_test/{test.id}")
    until(lambda: home.workspace.runs.children(run_id))

    with figures.timed("supervisor", "killed during a search and a load test") as said:
        home.end(signal.SIGKILL)
        until(lambda: not family(home.path))
        said.append("no process is left")
        until(lambda: home.state("bank") is DeploymentState.UNHEALTHY)  # one that ends has no name
        said.append(f"bank: “{home.deployments.get('bank').error}”")
        home.start()
        until(lambda: home.state("bank") is DeploymentState.HEALTHY)
        until(lambda: home.workspace.runs.get(run_id).status.settled)
        until(lambda: home.workspace.load_tests.get(test.id).state.settled)
        found, tested = home.workspace.runs.get(run_id), home.workspace.load_tests.get(test.id)
        said.append(f"started again: bank Healthy; run {found.status}: {found.error}")
        said.append(f"load test {tested.state}: {tested.error}")
    assert found.status is RunStatus.FAILED and found.error
    assert tested.state is not LoadTestState.RUNNING and (tested.error or tested.report)
