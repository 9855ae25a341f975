"""The disk is full: everything says so, what runs goes on, and with space again all works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
import requests

from services.app_insights import wire
from services.app_insights.sender import Sender
from services.domain import (
    AutoMLSettings,
    ComponentState,
    DataSource,
    DeploymentState,
    EvaluationPlan,
    KeyKind,
    LoadTestPlan,
    RunStatus,
    SourceKind,
)
from services.errors import OperationFailedError, ServiceError, UnavailableError
from services.local import processes
from services.local.clock import utc_now
from services.local.pipelines import worker_key as pipeline_key
from services.local.telemetry import identity
from services.ports import BatchInferencePlan
from tests import scoring_models
from tests.faults.small_disk import FILL, fill, small_disk
from tests.recorded import runs
from tests.scoring_home import ScoringHome

ROW = (3, "A full disk")
LIMIT_S = 90.0
ROWS = "age,job,y\n" + "".join(f"{20 + n % 40},job{n % 3},{n % 2}\n" for n in range(80))
SOURCE = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=ROWS.encode())


def until(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with small_disk(tmp_path_factory.mktemp("full") / "disk", 48) as disk:
        yield disk


@pytest.fixture(scope="module")
def home(disk: Path) -> Iterator[ScoringHome]:
    home = ScoringHome(disk / "workspace")
    scoring_models.register(home.path, home.workspace.store, "bank:1")
    home.workspace.datasets.register("people", SOURCE)
    home.start()
    home.deploy("bank", telemetry=True)
    until(lambda: home.workspace.components()[1].state is ComponentState.RUNNING)
    yield home
    while home.supervisors:
        home.end()


@pytest.fixture(autouse=True)
def emptied(disk: Path) -> Iterator[None]:
    """However a test ends, the next one has space."""
    yield
    (disk / FILL).unlink(missing_ok=True)


def operations(home: ScoringHome, run_id: str) -> dict[str, Callable[[], object]]:
    workspace = home.workspace
    settings = AutoMLSettings(experiment="e", dataset_id="people:1", label_column_name="y")
    plan = LoadTestPlan(
        deployment="bank", payload=scoring_models.payload(), requests=10, concurrency=1
    )
    return {
        "register a dataset": lambda: workspace.datasets.register("people", SOURCE),
        "begin an AutoML run": lambda: workspace.runs.begin_automl(settings),
        "register a model": lambda: workspace.models.register(run_id, "small"),
        "deploy": lambda: workspace.deployments.begin_create("second", "bank:1"),
        "update": lambda: workspace.deployments.begin_update("bank", telemetry=False),
        "regenerate a key": lambda: workspace.deployments.begin_regenerate_key(
            "bank", KeyKind.PRIMARY
        ),
        "begin a rotation": lambda: workspace.rotations.begin("bank"),
        "load test": lambda: workspace.load_tests.begin(plan),
    }


def test_every_change_is_refused_with_a_sentence_and_done_once_there_is_space(home, disk, figures):
    run_id = runs.automl(home.path, home.workspace.store, model=True)
    filled = fill(disk)
    versions = home.workspace.datasets.versions("people")

    for name, change in operations(home, run_id).items():
        with figures.timed(name, "no byte is left") as said:
            with pytest.raises((UnavailableError, OperationFailedError), match="full") as error:
                change()
            said.append(f"{type(error.value).__name__}: {error.value}".replace(str(disk), "…"))

    assert home.workspace.datasets.versions("people") == versions
    assert [each.name for each in home.workspace.models.list()] == ["bank"]
    assert [each.name for each in home.deployments.list()] == ["bank"]
    assert not home.workspace.load_tests.list()
    assert not list((home.path / "models").glob(".incoming*"))
    assert not list((home.path / "datasets" / ".incoming").iterdir())
    with pytest.raises(ServiceError):
        home.workspace.models.get("small:1")

    filled.unlink()
    assert home.workspace.datasets.register("people", SOURCE).version == 2
    assert home.workspace.models.register(run_id, "small").version == 1
    figures.add("all of them", "space again", "register a dataset and a model: done, whole")


def test_what_is_served_goes_on_and_a_killed_server_is_started_again(home, disk, figures):
    supervisor = home.supervisors[0]
    home.settle("bank")
    filled = fill(disk)
    with figures.timed("scoring, the supervisor", "5 s without a byte left") as said:
        count, deadline = 0, time.monotonic() + 5
        while time.monotonic() < deadline:
            assert home.ask("bank").status_code == 200
            count += 1
            time.sleep(0.05)
        assert supervisor.poll() is None
        said.append(f"{count} of {count} requests answered; the supervisor lived")
    home.server("bank").kill()  # nobody can write down that it ended
    time.sleep(2)
    assert supervisor.poll() is None
    assert home.state("bank") is not DeploymentState.HEALTHY

    filled.unlink()
    with figures.timed("scoring server", "killed while the disk was full, space again") as said:
        home.until(lambda: home.state("bank") is DeploymentState.HEALTHY, "bank")
        assert home.ask("bank").status_code == 200
        said.append("started again and Healthy; Unhealthy until then")
    log = processes.tail(home.path / "logs" / "supervisor.log", 500)[0]
    assert "what runs goes on" in log


def test_a_run_that_met_a_full_disk_is_settled_with_a_sentence(home, disk, figures):
    settings = AutoMLSettings(
        experiment="people",
        dataset_id="people:1",
        label_column_name="y",
        iterations=200,
        enable_early_stopping=False,
    )
    run = home.workspace.runs.begin_automl(settings)
    until(lambda: home.workspace.runs.children(run.id))
    filled = fill(disk)
    with figures.timed("AutoML search", "the disk fills up while children are fitted") as said:
        key = f"run/{run.id}"
        until(
            lambda: (
                (seen := home.table.observed(key)) is not None
                and not seen.running
                or home.workspace.runs.get(run.id).status.settled
            )
        )
        filled.unlink()
        until(lambda: home.workspace.runs.get(run.id).status.settled)
        found = home.workspace.runs.get(run.id)
        said.append(f"{found.status}: {found.error}".replace(str(disk), "…"))
    assert found.status is RunStatus.FAILED
    assert "full" in found.error and "Free some space" in found.error
    assert all(each.status.settled for each in home.workspace.runs.children(run.id))


def test_telemetry_that_was_acknowledged_stays_and_the_rest_is_sent_later(
    home, disk, tmp_path, figures
):
    access = identity.access(home.workspace.store)
    address = identity.base_url(home.workspace.store)

    def count(name: str) -> int:
        found = home.workspace.telemetry.query(f'customEvents | where name == "{name}" | count')
        return int(found.frame.iloc[0, 0])

    def post(name: str, number: int) -> requests.Response:
        item = wire.event_envelope(at=utc_now(), name=name, properties={"text": "x" * 2000})
        items = [{**item, "iKey": access.instrumentation_key}] * number
        return requests.post(f"{address}/v2.1/track", data=orjson.dumps(items), timeout=60)

    def stored(name: str) -> int:
        try:
            return count(name)
        except ServiceError:  # it is being started again
            return -1

    # Items whose acknowledgement came before, without a pause for anybody to write them away.
    answers = [post("before-full", 500) for _ in range(4)]
    filled = fill(disk)
    acknowledged = sum(each.json()["itemsAccepted"] for each in answers)
    assert acknowledged == 2000
    with figures.timed("telemetry server", "posts while no byte is left") as said:
        answers = [post("while-full", 500) for _ in range(6)]
        refused = [each for each in answers if each.status_code != 200]
        taken = sum(each.json()["itemsAccepted"] for each in answers)
        assert refused
        assert all(each.status_code == 429 for each in refused)
        said.append(f"{len(refused)} of 6 posts answered 429, {taken} items acknowledged")

    sender = Sender(
        identity.connection_string(home.workspace.store), spool=tmp_path / "spool", role="test"
    )
    for _ in range(200):
        sender.track(wire.event_envelope(at=utc_now(), name="spooled"))
    time.sleep(1)
    filled.unlink()
    with figures.timed("telemetry", "space again") as said:
        until(lambda: count("spooled") == 200)
        sender.close(10)
        assert count("while-full") == taken
        assert count("before-full") == acknowledged
        server = home.table.observed("telemetry")
        assert server is not None and server.ref is not None
        psutil.Process(server.ref.pid).kill()
        until(lambda: stored("before-full") == acknowledged)
        said.append(
            f"{acknowledged:,} of {acknowledged:,} items acknowledged just before the disk was "
            "full stayed, through a kill -9 of the server too"
        )
        said.append(f"200 of 200 items that waited on the sender's disk stored, {taken} kept")


Work = tuple[str, Callable[[], object], Callable[[], Any]]  # key, under way, what became of it


def batch_inference(home: ScoringHome) -> Work:
    pipelines = home.workspace.pipelines
    plan = BatchInferencePlan(model_id="bank:1", dataset_id="rows:1", chunk_rows=1)
    run = pipelines.submit(pipelines.publish_batch_inference("Score", plan).id, "people")

    def under_way() -> bool:
        batch = pipelines.run(run.id).batch
        return batch is not None and batch.done_count > 5

    return pipeline_key(run.id), under_way, lambda: pipelines.run(run.id)


def evaluation(home: ScoringHome) -> Work:
    port = home.workspace.evaluations
    found = port.begin(EvaluationPlan(model_id="bank:1", dataset_id="rows:1"))
    return f"evaluation/{found.id}", lambda: True, lambda: port.get(found.id)


def load_test(home: ScoringHome) -> Work:
    port = home.workspace.load_tests
    plan = LoadTestPlan(
        deployment="bank", payload=scoring_models.payload(), seconds=60, concurrency=1
    )
    test = port.begin(plan)
    return f"load_test/{test.id}", lambda: port.get(test.id).done_count, lambda: port.get(test.id)


WORKERS = {
    "pipeline worker (batch scoring)": batch_inference,
    "evaluation worker": evaluation,
    "load-test worker": load_test,
}


@pytest.mark.parametrize("who", WORKERS)
def test_a_worker_that_met_a_full_disk_says_so(home, disk, figures, who):
    rows = scoring_models.data().to_csv(index=False).encode()
    source = DataSource(kind=SourceKind.UPLOAD, location="rows.csv", content=rows)
    if "rows" not in [each.name for each in home.workspace.datasets.list()]:
        home.workspace.datasets.register("rows", source)
    key, under_way, found = WORKERS[who](home)
    until(lambda: (seen := home.table.observed(key)) and seen.running and under_way())
    worker = psutil.Process(home.table.observed(key).ref.pid)
    family = [worker, *worker.children(recursive=True)]

    filled = fill(disk)
    with figures.timed(who, "the disk fills up while it works") as said:
        assert psutil.wait_procs(family, timeout=LIMIT_S)[1] == []
        filled.unlink()
        until(lambda: found().ended_at is not None)
        said.append(found().error.replace(str(disk), "…"))
    assert "full" in found().error and "Free some space there" in found().error
    assert found().error.endswith("again.")
