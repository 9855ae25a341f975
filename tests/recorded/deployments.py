"""Deployments as they are found: rows, and what a supervisor saw of their servers.

    deployments.deployment(home, store)                                  # bank, Healthy
    deployments.deployment(home, store, "bank", state=DeploymentState.TRANSITIONING)
    deployments.passages(store, "bank", seconds=(9, 11, 12))             # what is usual

Nothing answers at their addresses. A server that runs is stood in for by this very
process, which is alive for as long as anybody asks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services import data_contract
from services.domain import DataContract, DeploymentState, split_id
from services.local import deployment_rows, processes
from services.local.clock import utc_now
from services.local.store import Store, stamp

STARTED = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
MODEL = "bankmarketing:1"
PRIMARY, SECONDARY = "recorded-primary-key", "recorded-secondary-key"
UNUSED_PORT = 9  # discard: nothing listens there

CORE: Mapping[str, str] = {
    "core": "ONNX Runtime",
    "core_reason": "It answered 2,500 rows as the pipeline does, to within 1.8e-07.",
    "parity_rows": "2500",
    "parity_largest_difference": "1.8e-07",
    "row_us": "63",
    "pipeline_row_us": "11300",
}
LOG = """\
2024-05-01 09:00:00,120 I [71] scoring - bank listens on 127.0.0.1:37583
2024-05-01 09:00:09,004 I [71] scoring - serving generation 1: bankmarketing:1
2024-05-01 09:01:00,310 I [71] scoring - POST /score 200 0.412ms 24
2024-05-01 09:01:02,711 I [71] scoring - POST /score 200 0.397ms 24
2024-05-01 09:01:05,020 W [71] scoring - POST /score 400 0.120ms 71 “age” is missing
2024-05-01 09:01:07,118 E [71] scoring - the model failed on 1 rows
Traceback (most recent call last):
  File "model.py", line 3, in predict
ValueError: boom
"""


def deployment(
    home: Path,
    store: Store,
    name: str = "bank",
    *,
    model_id: str = MODEL,
    state: DeploymentState = DeploymentState.HEALTHY,
    auth: bool = True,
    telemetry: bool = False,
    port: int | None = UNUSED_PORT,
    at: datetime = STARTED,
    updated_at: datetime | None = None,
    error: str = "",
    core: Mapping[str, str] = CORE,
    log: str = LOG,
    contract: DataContract | None = None,
) -> str:
    """One deployment that is found in `state`; its name."""
    model(home, store, model_id, contract=contract)
    served = state in (DeploymentState.HEALTHY, DeploymentState.UNHEALTHY)
    failed = state is DeploymentState.FAILED
    ours = processes.reference(os.getpid())
    assert ours is not None
    values = {
        "name": name,
        "incarnation": f"of-{name}",
        "model_id": model_id,
        "auth_enabled": auth,
        "telemetry_enabled": telemetry,
        "cpu_cores": 1.0,
        "memory_gb": 1.0,
        "created_at": stamp(at),
        "updated_at": stamp(updated_at or at),
        "primary_key": PRIMARY,
        "secondary_key": SECONDARY,
        "primary_key_at": stamp(at),
        "secondary_key_at": stamp(at),
        "port": port if served else None,
        "served_generation": 1 if served else None,
        "served_model_id": model_id if served else None,
        "served_telemetry": telemetry if served else None,
        "served_core": json.dumps(dict(core)) if served else None,
        "served_at": stamp(at + timedelta(seconds=9)) if served else None,
        "served_pid": ours.pid if served else None,
        "served_started_at": ours.started_at if served else None,
        "failed_at": stamp(at + timedelta(seconds=20)) if failed else None,
        "error": error or ("Its server could not start; its log says why." if failed else ""),
    }
    with store.transaction() as db:
        _insert(db, "deployments", values)
        deployment_rows.begin_transition(db, name, "create", at)
        if state is not DeploymentState.TRANSITIONING:
            outcome = DeploymentState.FAILED if failed else DeploymentState.HEALTHY
            deployment_rows.end_transitions(db, name, outcome, at + timedelta(seconds=9))
        if not failed:
            _insert(db, "processes", _seen(name, state, ours, at))
    path = deployment_rows.log_file(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(log, encoding="utf-8")
    return name


def supervised(store: Store) -> None:
    """A supervisor is at work: this process stands in for it."""
    ours = processes.reference(os.getpid())
    assert ours is not None
    store.set_setting("supervisor_pid", str(ours.pid))
    store.set_setting("supervisor_started_at", repr(ours.started_at))
    store.set_setting("supervisor_since", stamp(STARTED) or "")


def passages(
    store: Store,
    name: str = "bank",
    *,
    seconds: Iterable[float],
    kind: str = "update model",
    at: datetime = STARTED,
) -> None:
    """Earlier passages through Transitioning that ended well after so many seconds."""
    with store.transaction() as db:
        for number, length_s in enumerate(seconds):
            began = at - timedelta(days=number + 1)
            deployment_rows.begin_transition(db, name, kind, began)
            ended_at = stamp(began + timedelta(seconds=length_s))
            db.execute(
                "UPDATE deployment_transitions SET ended_at = ?, outcome = 'Healthy'"
                " WHERE id = (SELECT max(id) FROM deployment_transitions)",
                (ended_at,),
            )


def model(
    home: Path, store: Store, model_id: str = MODEL, *, contract: DataContract | None = None
) -> None:
    """The row of a registered model, unless it is there; its contract when one is given."""
    name, version = split_id("model", model_id)
    with store.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO models (name, version, created_at, algorithm)"
            " VALUES (?, ?, ?, 'VotingEnsemble')",
            (name, version, stamp(STARTED)),
        )
    if contract is not None:
        folder = home / "models" / name / str(version)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "contract.json").write_text(data_contract.to_json(contract), encoding="utf-8")


def _seen(
    name: str, state: DeploymentState, ours: processes.ProcessRef, at: datetime
) -> dict[str, object]:
    down = state is DeploymentState.UNHEALTHY
    return {
        "key": deployment_rows.process_key(name),
        "generation": f"of-{name}",
        "pid": ours.pid,
        "pid_started_at": ours.started_at,
        "spawned_at": stamp(at),
        "answering": None if state is DeploymentState.TRANSITIONING else int(not down),
        "answered_at": stamp(at + timedelta(seconds=9)) if down else stamp(utc_now()),
    }


def _insert(db: object, table: str, values: Mapping[str, object]) -> None:
    db.execute(  # type: ignore[attr-defined]
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
