"""The tables of deployments: what the port, the duty and the servers write in them.

Each function works inside a transaction somebody else opened, so that a decision, its
transition and its audit event are one.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from services.domain import DeploymentState, KeyKind
from services.local.processes import ProcessRef
from services.local.store import stamp

KEY_BYTES = 24
INCARNATION_BYTES = 8


def process_key(name: str) -> str:
    """What the supervisor calls the server of a deployment."""
    return f"deployment/{name}"


def folder(home: Path, name: str) -> Path:
    return home / "deployments" / name


def log_file(home: Path, name: str) -> Path:
    return folder(home, name) / "server.log"


def cores(home: Path) -> Path:
    """Where what was prepared to serve models is kept."""
    return home / "deployments" / ".cores"


def core_folder(home: Path, model_id: str) -> Path:
    return cores(home) / model_id.replace(":", "-")


def read(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM deployments WHERE name = ?", (name,)
    ).fetchone()
    return row


def new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def new_incarnation() -> str:
    return secrets.token_hex(INCARNATION_BYTES)


# --- transitions ------------------------------------------------------------------


def begin_transition(db: sqlite3.Connection, name: str, kind: str, at: datetime) -> None:
    db.execute(
        "INSERT INTO deployment_transitions (deployment, kind, started_at) VALUES (?, ?, ?)",
        (name, kind, stamp(at)),
    )


def end_transitions(
    db: sqlite3.Connection, name: str, outcome: DeploymentState, at: datetime
) -> None:
    """Close what is open. There is at most one, unless somebody died between two steps."""
    db.execute(
        "UPDATE deployment_transitions SET ended_at = ?, outcome = ?"
        " WHERE deployment = ? AND ended_at IS NULL",
        (stamp(at), outcome.value, name),
    )


# --- what a server reports --------------------------------------------------------


def report_address(db: sqlite3.Connection, name: str, incarnation: str, port: int) -> None:
    db.execute(
        "UPDATE deployments SET port = ? WHERE name = ? AND incarnation = ?",
        (port, name, incarnation),
    )


def report_serving(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    ref: ProcessRef,
    *,
    core: Mapping[str, Any],
    at: datetime,
) -> None:
    """The server serves by the decisions in `row`, which is the row it read them from."""
    changed = db.execute(
        "UPDATE deployments SET served_generation = ?, served_model_id = ?, served_telemetry = ?,"
        " served_core = ?, served_at = ?, served_pid = ?, served_started_at = ?,"
        " golden_overruled = NULL,"
        " error = CASE WHEN served_generation = ? THEN error ELSE '' END"
        " WHERE name = ? AND incarnation = ? AND failed_at IS NULL",
        (
            row["generation"],
            row["model_id"],
            row["telemetry_enabled"],
            json.dumps(dict(core)),
            stamp(at),
            ref.pid,
            ref.started_at,
            row["generation"],
            row["name"],
            row["incarnation"],
        ),
    ).rowcount
    settled = db.execute(
        "SELECT 1 FROM deployments WHERE name = ? AND generation = ?",
        (row["name"], row["generation"]),
    ).fetchone()
    if changed and settled:
        end_transitions(db, row["name"], DeploymentState.HEALTHY, at)


def take_back_model(db: sqlite3.Connection, row: sqlite3.Row, reason: str, at: datetime) -> None:
    """The model `row` asks for cannot be served; the one before goes on."""
    served = row["served_model_id"]
    db.execute(
        "UPDATE deployments SET model_id = ?, error = ?, served_generation = generation"
        " WHERE name = ? AND incarnation = ? AND generation = ?",
        (
            served,
            f"The update to {row['model_id']} was taken back and {served} goes on: {reason}",
            row["name"],
            row["incarnation"],
            row["generation"],
        ),
    )
    end_transitions(db, row["name"], DeploymentState.FAILED, at)


def give_up(db: sqlite3.Connection, name: str, incarnation: str, reason: str, at: datetime) -> None:
    """Failed: the server is no longer wanted until the next update."""
    changed = db.execute(
        "UPDATE deployments SET failed_at = ?, error = ?"
        " WHERE name = ? AND incarnation = ? AND failed_at IS NULL",
        (stamp(at), reason, name, incarnation),
    ).rowcount
    if changed:
        end_transitions(db, name, DeploymentState.FAILED, at)


# --- keys -------------------------------------------------------------------------

_COLUMNS: Mapping[KeyKind, str] = {
    KeyKind.PRIMARY: "primary_key",
    KeyKind.SECONDARY: "secondary_key",
}


def plan_key(db: sqlite3.Connection, name: str, kind: KeyKind) -> None:
    """Decide on a new key; it counts once the server accepts it (`adopt_keys`)."""
    column = _COLUMNS[kind]
    db.execute(f"UPDATE deployments SET next_{column} = ? WHERE name = ?", (new_key(), name))


def adopt_keys(db: sqlite3.Connection, row: sqlite3.Row, at: datetime) -> None:
    """The planned keys in `row` are the ones accepted from now on, the old ones no longer."""
    for column in _COLUMNS.values():
        planned = row[f"next_{column}"]
        db.execute(
            f"UPDATE deployments SET {column} = ?, {column}_at = ?, next_{column} = NULL"
            f" WHERE name = ? AND incarnation = ? AND next_{column} = ?",
            (planned, stamp(at), row["name"], row["incarnation"], planned),
        )
