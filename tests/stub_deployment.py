"""A deployment whose server is the test's own: every answer is decided by the test.

The workspace sees an ordinary deployment; only the program behind its port is not ours.
"""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services import data_contract
from services.domain import ColumnContract, ColumnType, DataContract
from services.local import deployment_rows, processes
from services.local.clock import utc_now
from services.local.store import Store, stamp

GOOD = json.dumps(json.dumps({"result": ["no"]}))
BAD = json.dumps(json.dumps({"error": "the column age is missing"}))
PRIMARY, SECONDARY = "real-primary", "real-secondary"
CONTRACT = DataContract(
    columns=(
        ColumnContract(
            name="age", type=ColumnType.INTEGER, nullable=False, minimum=17, maximum=98, example=38
        ),
        ColumnContract(
            name="job",
            type=ColumnType.STRING,
            nullable=False,
            categories=("admin.", "blue-collar", "technician"),
            example="admin.",
        ),
        ColumnContract(
            name="pdays",
            type=ColumnType.INTEGER,
            nullable=True,
            minimum=0,
            maximum=27,
            sentinels=(999,),
            example=999,
        ),
        ColumnContract(
            name="euribor3m",
            type=ColumnType.NUMBER,
            nullable=False,
            minimum=0.634,
            maximum=5.045,
            example=4.857,
        ),
    ),
    label="y",
    classes=("no", "yes"),
)


@dataclass
class Stub:
    """A scoring server at a port of its own."""

    answer: Callable[[int, Any], tuple[int, str]] = lambda number, body: (200, GOOD)
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=lambda: {"x-ms-run-fn-exec-ms": "2.5"})
    swagger: dict[str, Any] | None = None
    requests: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    port: int = 0

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        """Note one request and answer it."""
        self.requests.append(headers)
        try:
            self.bodies.append(json.loads(body))
        except ValueError:
            self.bodies.append(body)
        if self.delay_s:
            time.sleep(self.delay_s)
        return self.answer(len(self.requests), self.bodies[-1])


@contextmanager
def serving(**settings: Any) -> Iterator[Stub]:
    """A stub that answers while the block lasts."""
    stub = Stub(**settings)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/" or stub.swagger is not None
            self.reply(200 if found else 404, json.dumps(stub.swagger) if self.path != "/" else "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(
                *stub.take({name.lower(): each for name, each in self.headers.items()}, body)
            )

        def reply(self, status: int, body: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **stub.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()


def deploy(
    home: Path,
    store: Store,
    port: int | None,
    *,
    name: str = "bank",
    contract: DataContract | None = CONTRACT,
    auth: bool = True,
) -> None:
    """Put a deployment into the store whose server is at `port`, and its model's contract."""
    now = stamp(utc_now())
    with store.transaction() as db:
        db.execute(
            "INSERT INTO deployments (name, incarnation, model_id, auth_enabled,"
            " telemetry_enabled, cpu_cores, memory_gb, created_at, updated_at, primary_key,"
            " secondary_key, primary_key_at, secondary_key_at, port)"
            " VALUES (?, 'x', ?, ?, 0, 1, 1, ?, ?, ?, ?, ?, ?, ?)",
            (name, f"{name}:1", auth, now, now, PRIMARY, SECONDARY, now, now, port),
        )
    if contract is not None:
        folder = home / "models" / name / "1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "contract.json").write_text(data_contract.to_json(contract), encoding="utf-8")


def report_healthy(store: Store, *, name: str = "bank") -> None:
    """Have the deployment read as Healthy: this very process stands for its server."""
    ref = processes.reference(os.getpid())
    assert ref is not None  # we are running
    now = stamp(utc_now())
    with store.transaction() as db:
        db.execute(
            "INSERT INTO processes (key, generation, pid, pid_started_at, spawned_at, answering,"
            " answered_at) VALUES (?, 'x', ?, ?, ?, 1, ?)",
            (deployment_rows.process_key(name), ref.pid, ref.started_at, now, now),
        )
        db.execute(
            "UPDATE deployments SET served_generation = generation, served_pid = ?,"
            " served_started_at = ?, served_at = ? WHERE name = ?",
            (ref.pid, ref.started_at, now, name),
        )
