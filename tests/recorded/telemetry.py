"""Telemetry that has already arrived, and a server to ask about it.

    telemetry.requests(home, [telemetry.Request(duration_ms=12.0, result_code="500"), …])
    telemetry.traffic(home, count=100_000, end=now)      # a day of plausible, seeded traffic
    telemetry.items(home, [wire.trace_envelope(…)])      # anything else
    with telemetry.answering(home): …                    # the real application, in this process

Rows are written straight into the store, before or between the times a server has it open.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from services.app_insights import repair, wire
from services.local.store import Store
from services.local.telemetry import identity
from services.local.telemetry.app import application
from services.local.telemetry.store import Batch, TelemetryStore
from services.local.telemetry_server import listening

FOREVER = timedelta(days=36_500)
CODES = ("200",) * 240 + ("400",) * 5 + ("401",) * 2 + ("500",) * 2 + ("503",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    duration_ms: float = 10.0
    result_code: str = "200"
    deployment: str = "bank"
    at: datetime | None = None
    request_id: str = ""


def envelope(request: Request, *, at: datetime, request_id: str) -> wire.Envelope:
    return wire.request_envelope(
        at=request.at or at,
        request_id=request.request_id or request_id,
        name="POST /score",
        url="http://127.0.0.1:6100/score",
        duration_ms=request.duration_ms,
        result_code=request.result_code,
        properties={"Service Name": request.deployment},
    )


def items(home: Path, envelopes: Iterable[wire.Envelope]) -> None:
    """Store anything, as the server would."""
    rows = [row for row in map(repair.row, envelopes) if row is not None]
    store = TelemetryStore(_file(home))
    try:
        store.append([Batch(rows)])
    finally:
        store.close()


def requests(home: Path, given: Sequence[Request], *, at: datetime | None = None) -> None:
    """Store requests, one a millisecond from `at` unless they say when."""
    start = at or datetime.now(UTC) - timedelta(minutes=5)
    items(
        home,
        [
            envelope(each, at=start + timedelta(milliseconds=position), request_id=f"r{position}")
            for position, each in enumerate(given)
        ],
    )


def traffic(
    home: Path,
    *,
    count: int,
    end: datetime,
    length: timedelta = timedelta(hours=24),
    deployments: Sequence[str] = ("bank",),
    seed: int = 1,
) -> None:
    """Requests with a daily rhythm, a slow spell, a burst of failures, and what goes with them:
    traces, captured rows, exceptions, availability tests."""
    chance = random.Random(seed)
    envelopes: list[wire.Envelope] = []
    for position in range(count):
        share = _busy_moment(chance)
        at = end - length * (1 - share)
        deployment = deployments[position * 7919 % len(deployments)]
        slow = 3.0 if 0.70 < share < 0.74 else 1.0
        failing = 0.60 < share < 0.62 and chance.random() < 0.2
        code = "503" if failing else chance.choice(CODES)
        request = Request(
            duration_ms=round(slow * chance.lognormvariate(2.4, 0.45), 3),
            result_code=code,
            deployment=deployment,
            at=at,
            request_id=f"{seed:04x}{position:028x}",
        )
        envelopes.append(envelope(request, at=at, request_id=""))
        if code == "500":
            envelopes.append(_exception(request, at))
        if position % 200 == 0:
            envelopes.append(_captured(request, at, chance))
    envelopes += [
        _probe(deployment, end - length * (step / 240), ok=not 96 < 240 - step < 99)
        for deployment in deployments
        for step in range(1, 241)
    ]
    items(home, envelopes)


def _busy_moment(chance: random.Random) -> float:
    """A share of the window, more often where the daily rhythm is high."""
    while True:
        share = chance.random()
        if chance.random() < 0.55 + 0.45 * math.sin(share * 2 * math.pi - 1.5):
            return share


def _captured(request: Request, at: datetime, chance: random.Random) -> wire.Envelope:
    row = {"age": chance.randint(18, 80), "job": chance.choice(["admin.", "technician", "retired"])}
    printed = json.dumps({"input": {"data": [row]}, "output": [chance.choice(["no", "yes"])]})
    return wire.trace_envelope(
        at=at,
        message=printed,
        operation_id=request.request_id,
        properties={"Service Name": request.deployment, "Request Id": request.request_id},
    )


def _exception(request: Request, at: datetime) -> wire.Envelope:
    try:
        raise ValueError("could not convert string to float: 'unknown'")
    except ValueError as error:
        return wire.exception_envelope(
            at=at,
            error=error,
            operation_id=request.request_id,
            properties={"Service Name": request.deployment, "Request Id": request.request_id},
        )


def _probe(deployment: str, at: datetime, *, ok: bool) -> wire.Envelope:
    return wire.availability_envelope(
        at=at,
        test_id=f"{deployment}-{at.timestamp()}",
        name=deployment,
        duration_ms=2.0,
        success=ok,
        location="this machine",
    )


@contextmanager
def answering(home: Path) -> Iterator[str]:
    """A server over the store of `home`, in a thread of this process; yields its address."""
    store = Store(home / "workspace.db")
    listener = listening(0)
    store.set_setting(identity.PORT, str(listener.getsockname()[1]))
    access = identity.access(store)
    app = application(TelemetryStore(_file(home)), access, retention=FOREVER)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", loop="asyncio")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the telemetry server did not start"
        time.sleep(0.01)
    try:
        yield identity.base_url(store)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive(), "the telemetry server did not end"


def _file(home: Path) -> Path:
    return home / "telemetry" / "telemetry.duckdb"
