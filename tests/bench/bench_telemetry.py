"""Telemetry: percentiles through KQL, HTTP and frames against DuckDB asked directly, and what
taking an item in costs.

Ours is everything a chart waits for: the client, the server's translation and query, JSON, and
the frame. Theirs is one SQL statement on the same rows, with all three percentiles at once.
Both in CPU milliseconds, since a busy machine makes walls of them.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from tests.bench.measures import ROUNDS, Measure, alternating


@dataclass(frozen=True)
class Question:
    """Percentiles over a window, of the deployment that has a third of a table's rows."""

    rows: int
    span: timedelta  # what the rows are spread over
    length: timedelta
    bin: timedelta
    at_once: int  # of which one measurement is the mean, as the system counts in steps of 10 ms
    limit: float | None = 1.3  # times DuckDB


DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
QUESTIONS = {
    "24 h by minute of 1M rows": Question(1_000_000, 3 * DAY, DAY, MINUTE, 12),
    # So little work that ours is mostly the fixed cost of a request.
    "1 h by minute of 1M rows": Question(1_000_000, 3 * DAY, HOUR, MINUTE, 40, None),
    "30 d by hour of 10M rows": Question(10_000_000, 30 * DAY, 30 * DAY, HOUR, 2),
}
INGEST_AIM = 20_000.0  # items per second of CPU
BATCH, BATCHES = 700, 20  # as many as a file of a busy sender holds

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
    for rows in sorted({each.rows for each in QUESTIONS.values()}):
        asked = {name: each for name, each in QUESTIONS.items() if each.rows == rows}
        with tempfile.TemporaryDirectory() as folder:
            home, copy = Path(folder) / "workspace", Path(folder) / "direct.duckdb"
            _fill(home, end, next(iter(asked.values())))
            shutil.copy(home / "telemetry" / "telemetry.duckdb", copy)
            with _server(home) as (port, server), duckdb.connect(copy) as direct:
                for name, question in asked.items():
                    yield _percentiles(name, question, end, port, server, direct)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (port, server):
        yield _ingestion(Path(folder), port, server)


def _percentiles(
    name: str,
    question: Question,
    end: datetime,
    port: LocalTelemetry,
    server: psutil.Process,
    direct: duckdb.DuckDBPyConnection,
) -> Measure:
    window = TimeWindow(start=end - question.length, end=end, bin=question.bin)
    start, stop = (each.replace(tzinfo=None) for each in (window.start, window.end))

    def ours() -> object:
        return port.panel(Panel.LATENCY, window, "bank").frame

    def theirs() -> object:
        return direct.execute(_DIRECT, [window.bin, start, stop]).fetchall()

    _check_same(ours(), theirs())
    own, other = alternating(
        lambda: _cpu_ms(ours, question.at_once, psutil.Process(), server),
        lambda: _cpu_ms(theirs, question.at_once, psutil.Process()),
    )
    limit = question.limit
    return Measure(
        f"Percentiles {name}",
        own,
        other,
        "ms CPU",
        f"≤ {limit:g}×" if limit else "",
        own <= limit * other if limit else None,
        against="DuckDB asked directly",
        detail=limit is None,
    )


def _check_same(frame: Any, rows: Any) -> None:
    """Both answered the same, so that what is compared is the same question."""
    assert list(frame["requests"]) == [row[1] for row in rows]
    for rank, column in enumerate(("p50_ms", "p95_ms", "p99_ms")):
        assert list(frame[column]) == [row[3][rank] for row in rows], column


def _ingestion(home: Path, port: LocalTelemetry, server: psutil.Process) -> Measure:
    """What the server spends on each item; every one is counted once it was acknowledged."""
    store = Store(home / "workspace.db")
    key = identity.access(store).instrumentation_key
    address = f"{identity.base_url(store)}/v2.1/track"
    bodies = [_body(key, number) for number in range(BATCHES)]

    def send() -> None:
        with requests.Session() as session:
            for body in bodies:
                session.post(address, data=body, timeout=30).raise_for_status()

    send()
    spent_s = statistics.median(_cpu_ms(send, 1, server) for _ in range(ROUNDS)) / 1000
    sent = BATCH * BATCHES * (ROUNDS + 1)
    found = int(port.query("requests | summarize n = count()").frame["n"][0])
    rate = BATCH * BATCHES / spent_s
    return Measure(
        "Telemetry taken in",
        rate,
        None,
        "items per CPU s",
        f"≥ {INGEST_AIM:,.0f}, none lost",
        rate >= INGEST_AIM and found == sent,
        note=f"{found:,} of {sent:,} stored",
    )


def _body(key: str, number: int) -> bytes:
    """What our scoring server sends of as many requests as it keeps in one file."""
    now = datetime.now(UTC)
    items = []
    for position in range(BATCH):
        item = wire.request_envelope(
            at=now + timedelta(milliseconds=position),
            request_id=f"{number:08x}-{position:08x}",
            name="POST /score",
            url="http://127.0.0.1:6100/score",
            duration_ms=12.3 + position / 100,
            result_code="200",
            properties={"Service Name": "bank", "Container Id": "c", "http_method": "POST"},
        )
        items.append({**item, "iKey": key})
    return orjson.dumps(items)


def _fill(home: Path, end: datetime, question: Question) -> None:
    store = TelemetryStore(home / "telemetry" / "telemetry.duckdb")
    step_us = question.span / timedelta(microseconds=1) / question.rows
    start = (end - question.span).replace(tzinfo=None)
    store.cursor().execute(_FILL, [start, step_us, question.rows])
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


def _cpu_ms(work: Callable[[], object], at_once: int, *spending: psutil.Process) -> float:
    """Of one `work`, the mean of a few."""

    def spent() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in spending)

    before = spent()
    for _ in range(at_once):
        work()
    return (spent() - before) * 1000 / at_once
