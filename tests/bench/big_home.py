"""A workspace after a year of use: what the pages are measured on.

    with big_home.serving() as big:      # 1,000 runs, 50 deployments, a million requests
        big.home, big.telemetry          # its folder, its telemetry server

The process that fills it stands in for the supervisor and for the deployments' servers: a
real supervisor must never run it.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest import mock

import psutil
import requests

from services.domain import DeploymentState, Frequency, Recurrence
from services.local import processes
from services.local.store import Store
from services.local.telemetry import identity
from services.local.telemetry.store import TelemetryStore
from services.local.workspace import LocalWorkspace, open_workspace
from tests.recorded import alerts, datasets, deployments, load_tests, overview, pipelines, runs

RUNS, DEPLOYMENTS, REQUESTS = 1_000, 50, 1_000_000
SPAN = timedelta(days=3)  # of the telemetry
EXPERIMENTS = 8
DATASET_VERSIONS, SCHEDULES, LOAD_TESTS, INCIDENTS, CHANGES = 4, 8, 60, 40, 400

_REQUESTS = """
INSERT INTO stored.requests BY NAME
SELECT ?::TIMESTAMP + to_microseconds(CAST(i * ? AS BIGINT)) AS "timestamp",
       'POST /score' AS "name", md5(i::VARCHAR) AS "id", md5(i::VARCHAR) AS "operation_Id",
       printf('bank-%02d', CAST(hash(i) % ? AS INTEGER)) AS "cloud_RoleName",
       IF(hash(i + 1) % 50 = 0, '500', '200') AS "resultCode", hash(i + 1) % 50 <> 0 AS "success",
       exp(2.4 + 0.45 * sqrt(-2 * ln((hash(i + 2) % 99991 + 1) / 99992.0))
           * cos(2 * pi() * (hash(i + 3) % 99991) / 99991.0)) AS "duration",
       1 AS "itemCount",
       json_object('Service Name', "cloud_RoleName") AS "customDimensions"
FROM range(?) AS r(i)
"""
_TRACES = """
INSERT INTO stored.traces BY NAME
SELECT "timestamp", "operation_Id", "cloud_RoleName", 1 AS "itemCount", 1 AS "severityLevel",
       '{"input": {"data": [{"age": 38, "job": "admin."}]}, "output": ["no"]}' AS "message",
       json_object('Service Name', "cloud_RoleName", 'Request Id', "id") AS "customDimensions"
FROM stored.requests WHERE hash("id") % 20 = 0
"""
_EXCEPTIONS = """
INSERT INTO stored.exceptions BY NAME
SELECT "timestamp", "operation_Id", "cloud_RoleName", 1 AS "itemCount", 3 AS "severityLevel",
       'ValueError' AS "type", 'ValueError at model.py' AS "problemId",
       'ValueError' AS "outerType", 'could not convert string to float' AS "outerMessage",
       'ValueError' AS "innermostType", 'could not convert string to float' AS "innermostMessage",
       json_object('Service Name', "cloud_RoleName", 'Request Id', "id") AS "customDimensions"
FROM stored.requests WHERE NOT "success" AND hash("id") % 2 = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BigHome:
    home: Path
    telemetry: psutil.Process


@contextlib.contextmanager
def serving() -> Iterator[BigHome]:
    """A filled workspace whose telemetry server answers."""
    home = _filled()
    with telemetry_server(home) as process:
        yield BigHome(home=home, telemetry=process)


@cache
def _filled() -> Path:
    """Filled once for all that is measured by this process."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with _unhurried_disk():
        fill(folder / "workspace")
    return folder / "workspace"


@contextlib.contextmanager
def _unhurried_disk() -> Iterator[None]:
    """Nobody waits for the disk after each of thousands of transactions."""
    opened = Store._open

    def quick(store: Store) -> sqlite3.Connection:
        db = opened(store)
        db.execute("PRAGMA synchronous = OFF")
        return db

    with mock.patch.object(Store, "_open", quick):
        yield


def fill(home: Path, *, run_count: int = RUNS, request_count: int = REQUESTS) -> None:
    """Seeded: the same figures every time, as of now."""
    now = datetime.now(UTC)
    workspace = open_workspace(home)
    overview.supervised(workspace.store)
    for _ in range(DATASET_VERSIONS):
        datasets.people(workspace)
    _automate(workspace, now)
    _train(workspace, run_count, now)
    _deploy(workspace, now)
    _happen(workspace, now)
    traffic(home / "telemetry" / "telemetry.duckdb", request_count, now)


def traffic(file: Path, count: int, end: datetime) -> None:
    """Requests of every deployment over three days, and the traces and exceptions they left."""
    store = TelemetryStore(file)
    start, step_us = (end - SPAN).replace(tzinfo=None), SPAN / timedelta(microseconds=1) / count
    cursor = store.cursor()
    cursor.execute(_REQUESTS, [start, step_us, DEPLOYMENTS, count])
    cursor.execute(_TRACES)
    cursor.execute(_EXCEPTIONS)
    store.close()


def _automate(workspace: LocalWorkspace, now: datetime) -> None:
    """Nightly retrainings that have run for some days, and one that was missed."""
    for number in range(SCHEDULES):
        pipelines.retraining(
            workspace.home,
            workspace.store,
            name=f"Nightly retraining {number + 1}",
            days=6,
            failed=(number % 6,) if number % 3 == 0 else (),
            now=now,
            recurrence=Recurrence(
                frequency=Frequency.DAY,
                start_time=datetime(2024, 1, 1),
                time_zone="Europe/Berlin",
                hours=(number,),
                minutes=(30,),
            ),
        )


def _train(workspace: LocalWorkspace, count: int, now: datetime) -> None:
    """AutoML runs until there are `count` runs, child runs included; models of some of them."""
    number = 0
    while (missing := count - _run_count(workspace.store)) > 0:
        parent = runs.automl(
            workspace.home,
            workspace.store,
            experiment=f"bank-marketing-{number % EXPERIMENTS}",
            candidates=(runs.CANDIDATES + runs.ENSEMBLES)[: max(missing - 1, 1)],
            started=now - timedelta(hours=5 * (number + 1)),
        )
        if number % 3 == 0:
            workspace.models.register(parent, "bank-marketing")
        number += 1


def _run_count(store: Store) -> int:
    with store.reading() as db:
        return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])


def _deploy(workspace: LocalWorkspace, now: datetime) -> None:
    model = workspace.models.list()[0].id
    contract = runs.small_contract("y", ("no", "yes"), "bank:1")
    for number in range(DEPLOYMENTS):
        deployments.deployment(
            workspace.home,
            workspace.store,
            f"bank-{number:02}",
            model_id=model,
            telemetry=True,
            state=DeploymentState.FAILED if number == 40 else DeploymentState.HEALTHY,
            at=now - timedelta(hours=3 + number),
            contract=contract if number == 0 else None,
        )
        deployments.passages(workspace.store, f"bank-{number:02}", seconds=(9, 11, 12), at=now)


def _happen(workspace: LocalWorkspace, now: datetime) -> None:
    """Load tests, incidents, probes, and the changes somebody made."""
    for number in range(LOAD_TESTS):
        load_tests.finished(
            workspace.store,
            deployment=f"bank-{number % 5:02}",
            concurrency=2 ** (number % 5),
            median_ms=12 + 3 * math.sin(number),
            at=now - timedelta(hours=number + 1),
            seed=number,
        )
    for number in range(INCIDENTS):
        alerts.incident(
            workspace,
            cause=f"experiment/bank-marketing-{number}",
            title=f"Run {number} of bank-marketing failed",
            opened_at=now - timedelta(hours=number, minutes=7),
            resolved=number >= 6,
        )
    alerts.probed(workspace, "bank-00", "o" * 30, now=now)
    for number in range(CHANGES):
        deployment = f"deployment/bank-{number % DEPLOYMENTS:02}"
        workspace.audit.record("deployment.update", deployment, after={"auth": True})


@contextlib.contextmanager
def telemetry_server(home: Path) -> Iterator[psutil.Process]:
    """The workspace's telemetry server, as the supervisor would run it."""
    log = home / "telemetry.log"
    process = processes.spawn("services.local.telemetry_server", str(home), "telemetry", log=log)
    store = Store(home / "workspace.db")
    try:
        while not _answers(identity.base_url(store)):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _answers(address: str) -> bool:
    try:
        return bool(address) and requests.get(f"{address}/health", timeout=1).ok
    except requests.RequestException:
        return False
