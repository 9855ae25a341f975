"""Memory of the dashboard and of each process beside it: when nothing happens, and at its most
while the whole flow is done, from the dataset to a schedule, and a pipeline is run."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from dashboard.navigation import REGISTRY
from services.domain import RunStatus
from services.local.workspace import LocalWorkspace, open_workspace
from services.ports import BatchInferencePlan
from tests.bench.bench_pages import address
from tests.bench.measures import Measure
from tests.bench.streamlit_client import Session
from tests.e2e.running import Running, dashboard

ROUNDS = 1
LOOK_EVERY_S = 0.5
IDLE_S = 15.0
FLOW_LIMIT_S = 900.0
NAMES = {
    "dashboard": "Dashboard",
    "supervisor": "Supervisor",
    "telemetry_server": "Telemetry server",
    "watcher": "Watcher",
    "scoring_server": "Scoring server, one deployment",
    "training_worker": "Training worker and its processes",
    "flow_worker": "Worker of the whole flow",
    "load_test_worker": "Load test worker",
    "pipeline_worker": "Pipeline worker and its processes",
    "prepare": "Choice of a scoring core",
}


def measure() -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        with dashboard(home, Path(folder) / "dashboard.log") as running:
            workspace = open_workspace(home)
            with _looking(running) as most:
                _flow(workspace)
                _pipeline_run(workspace)
                with Session(running.base) as session:
                    for page in REGISTRY:
                        session.run(address(page))
                time.sleep(IDLE_S)
            idle = _now(running)
    others = {name: name for name in sorted(most.keys() - NAMES.keys())}
    for name, title in {**NAMES, **others}.items():
        if name in idle:
            yield Measure(f"Memory of the process, idle: {title}", idle[name], None, "MB")
        if name in most:
            yield Measure(f"Memory of the process, at most: {title}", most[name], None, "MB")
    yield Measure("Memory of all processes together, idle", sum(idle.values()), None, "MB")


def _flow(workspace: LocalWorkspace) -> None:
    """Dataset, training, model, deployment, load test, telemetry, schedule; one after another."""
    workspace.flow.begin()
    deadline = time.monotonic() + FLOW_LIMIT_S
    while (progress := workspace.flow.progress()).running:
        assert time.monotonic() < deadline, "the flow did not come to its end"
        time.sleep(1.0)
    assert not progress.error, progress.error


def _pipeline_run(workspace: LocalWorkspace) -> None:
    """A batch of predictions: what the pipeline's own process takes, without a training in it."""
    plan = BatchInferencePlan(
        model_id=workspace.models.list()[0].id, dataset_id=workspace.datasets.list()[0].id
    )
    pipeline = workspace.pipelines.publish_batch_inference("Batch predictions", plan)
    run_id = workspace.pipelines.submit(pipeline.id, "batch").id
    deadline = time.monotonic() + FLOW_LIMIT_S
    while not (run := workspace.pipelines.run(run_id)).status.settled:
        assert time.monotonic() < deadline, "the pipeline run did not come to its end"
        time.sleep(1.0)
    assert run.status is RunStatus.COMPLETED, run.status


@contextmanager
def _looking(running: Running) -> Iterator[dict[str, float]]:
    """The most that is seen of each within the block."""
    most: dict[str, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            for name, size in _now(running).items():
                most[name] = max(size, most.get(name, 0.0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _now(running: Running) -> dict[str, float]:
    """Resident megabytes by program; what a worker started counts as the worker's."""
    found: dict[str, float] = {}
    names: dict[int, str] = {running.process.pid: "dashboard"}
    for process in [running.process, *running.family()]:
        try:
            parent = names.get(process.ppid(), "")
            own = re.search(r"services\.local\.(?:serving\.)?(\w+)", " ".join(process.cmdline()))
            name = names.get(process.pid) or (own[1] if own else parent)
            names[process.pid] = name
            found[name] = found.get(name, 0.0) + process.memory_info().rss / 1e6
        except psutil.NoSuchProcess:
            continue
    return found
