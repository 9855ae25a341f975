"""Telemetry: percentiles through KQL, HTTP and frames against DuckDB asked directly, and what
taking an item in costs.

Ours is everything a chart waits for: the client, the server's translation and query, JSON, and
the frame. Theirs is one SQL statement on the same rows, with all three percentiles at once.
Both in CPU milliseconds, since a busy machine makes walls of them.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import orjson
import psutil
import requests

from services.app_insights import wire
from services.domain import Panel, TimeWindow
from services.local import processes
from services.local.store import Store
from services.local.telemetry import LocalTelemetry, identity
from services.local.telemetry.store import TelemetryStore
from tests.bench.measures import Measure, alternating

ROWS = 1_000_000
SPAN = timedelta(days=3)
WINDOWS = {  # name → length, bin, goal
    # So little work that ours is mostly the fixed cost of a request.
    "1 h in bins of 1 min": (timedelta(hours=1), timedelta(minutes=1), ""),
    "24 h in bins of 5 min": (timedelta(hours=24), timedelta(minutes=5), "within twice DuckDB"),
    "3 d in bins of 1 h": (timedelta(days=3), timedelta(hours=1), "within twice DuckDB"),
}
INGEST_GOAL = 10_000.0  # items per second of CPU
BATCH, BATCHES = 700, 8  # as many as a file of a busy sender holds
AT_ONCE = 6

_FILL = """
INSERT INTO stored.requests BY NAME
SELECT ?::TIMESTAMP + to_microseconds(CAST(i * ? AS BIGINT)) AS "timestamp",
       'POST /score' AS "name", md5(i::VARCHAR) AS "id", md5(i::VARCHAR) AS "operation_Id",
       IF(hash(i) % 100 < 35, 'bank', 'other-' || hash(i) % 4) AS "cloud_RoleName",
       IF(hash(i + 1) % 50 = 0, '500', '200') AS "resultCode", hash(i + 1) % 50 <> 0 AS "success",
       exp(2.4 + 0.45 * sqrt(-2 * ln((hash(i + 2) % 99991 + 1) / 99992.0))
           * cos(2 * pi() * (hash(i + 3) % 99991) / 99991.0)) AS "duration",
       1 AS "itemCount", '{"Service Name": "bank"}' AS "customDimensions"
FROM range(?) AS r(i)
"""
_DIRECT = """
SELECT time_bucket(?, "timestamp") AS t, sum("itemCount"), avg("duration"),
       quantile_disc("duration", [0.5, 0.95, 0.99])
FROM stored.requests
WHERE "timestamp" >= ? AND "timestamp" < ? AND "cloud_RoleName" = 'bank'
GROUP BY t ORDER BY t
"""


def measure() -> Iterator[Measure]:
    end = datetime(2026, 11, 22, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        home, copy = Path(folder) / "workspace", Path(folder) / "direct.duckdb"
        _fill(home, end)
        shutil.copy(home / "telemetry" / "telemetry.duckdb", copy)
        with _server(home) as (port, server), duckdb.connect(copy) as direct:
            for name, (length, bin, goal) in WINDOWS.items():
                window = TimeWindow(start=end - length, end=end, bin=bin)
                ours, theirs = _percentiles(window, port, server, direct)
                met = ours <= 2 * theirs if goal else None
                yield Measure(f"Percentiles, {name}", ours, theirs, "ms CPU", goal, met)
            yield _ingestion(home, server)


def _percentiles(
    window: TimeWindow,
    port: LocalTelemetry,
    server: psutil.Process,
    direct: duckdb.DuckDBPyConnection,
) -> tuple[float, float]:
    start, end = (each.replace(tzinfo=None) for each in (window.start, window.end))

    def ours() -> object:
        return port.panel(Panel.LATENCY, window, "bank").frame

    def theirs() -> object:
        return direct.execute(_DIRECT, [window.bin, start, end]).fetchall()

    assert len(ours()) == len(theirs())  # warm, and the same question
    return alternating(
        lambda: _cpu_ms(ours, psutil.Process(), server),
        lambda: _cpu_ms(theirs, psutil.Process()),
        rounds=5,
    )


def _ingestion(home: Path, server: psutil.Process) -> Measure:
    store = Store(home / "workspace.db")
    key = identity.access(store).instrumentation_key
    item = wire.request_envelope(
        at=datetime.now(UTC),
        request_id="0123456789abcdef",
        name="POST /score",
        url="http://127.0.0.1:6100/score",
        duration_ms=12.3,
        result_code="200",
        properties={"Service Name": "bank", "Container Id": "c", "http_method": "POST"},
    )
    body = orjson.dumps([{**item, "iKey": key}] * BATCH)
    address = f"{identity.base_url(store)}/v2.1/track"

    def send() -> None:
        with requests.Session() as session:
            for _ in range(BATCHES):
                session.post(address, data=body, timeout=30).raise_for_status()

    send()
    spent_s = min(_cpu_ms(send, server) for _ in range(2)) / 1000  # CPU of the server only
    rate = BATCH * BATCHES / spent_s
    return Measure(
        "Telemetry taken in",
        rate,
        INGEST_GOAL,
        "items per CPU s",
        f"at least {INGEST_GOAL:,.0f} items per second of CPU",
        rate >= INGEST_GOAL,
    )


def _fill(home: Path, end: datetime) -> None:
    store = TelemetryStore(home / "telemetry" / "telemetry.duckdb")
    step_us = SPAN / timedelta(microseconds=1) / ROWS
    start = (end - SPAN).replace(tzinfo=None)
    store.cursor().execute(_FILL, [start, step_us, ROWS])
    store.close()


@contextlib.contextmanager
def _server(home: Path) -> Iterator[tuple[LocalTelemetry, psutil.Process]]:
    store = Store(home / "workspace.db")
    process = processes.spawn(
        "services.local.telemetry_server", str(home), "telemetry", log=home / "telemetry.log"
    )
    port = LocalTelemetry(home, store)
    try:
        while not _answers(identity.base_url(store)):
            assert process.poll() is None, (home / "telemetry.log").read_text()
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
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


def _cpu_ms(work: Callable[[], object], *spending: psutil.Process) -> float:
    """Of one `work`; several are measured at once, as the system counts in steps of 10 ms."""

    def spent() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in spending)

    before = spent()
    for _ in range(AT_ONCE):
        work()
    return (spent() - before) * 1000 / AT_ONCE
