"""Deployments of a local workspace: decisions go into the store, states come from looking.

Nothing here starts a process. The supervisor reads the decisions (`deployment_duty`), and
each server reads its own (`serving`), so both may restart at any moment.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.domain import (
    Deployment,
    DeploymentState,
    KeyKind,
    Keys,
    LogTail,
    Transition,
    check_deployment_name,
    split_id,
)
from services.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    UnavailableError,
)
from services.local import audit, deployment_rows, deployment_state, processes
from services.local.clock import Clock, utc_now
from services.local.process_table import Observation, ProcessTable
from services.local.store import Store, instant, stamp
from services.local.supervised import answers_well
from services.ports import Deployments

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 0.5
SWAGGER_TIMEOUT_S = 5.0


class LocalDeployments(Deployments):
    """A server that died is seen as such at the next call, not when somebody writes it down."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock
        self._table = ProcessTable(store)

    def list(self) -> tuple[Deployment, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM deployments ORDER BY created_at DESC, name").fetchall()
        if not rows:
            return ()
        seen = self._table.all("deployment/")
        supervised = self._table.supervisor().state == "Running"
        return tuple(
            self._record(row, seen.get(deployment_rows.process_key(row["name"])), supervised)
            for row in rows
        )

    def get(self, name: str) -> Deployment:
        row = self._row(name)
        seen = self._table.observed(deployment_rows.process_key(name))
        return self._record(row, seen, self._table.supervisor().state == "Running")

    def begin_create(
        self,
        name: str,
        model_id: str,
        *,
        auth: bool = True,
        telemetry: bool = False,
        cpu_cores: float = 1.0,
        memory_gb: float = 1.0,
        description: str = "",
    ) -> Deployment:
        """`cpu_cores` and `memory_gb` are kept for Azure; here a server takes what it needs."""
        check_deployment_name(name)
        now = self._clock()
        values = {
            "name": name,
            "incarnation": deployment_rows.new_incarnation(),
            "model_id": model_id,
            "auth_enabled": auth,
            "telemetry_enabled": telemetry,
            "cpu_cores": cpu_cores,
            "memory_gb": memory_gb,
            "description": description,
            "primary_key": deployment_rows.new_key(),
            "secondary_key": deployment_rows.new_key(),
            **dict.fromkeys(
                ("created_at", "updated_at", "primary_key_at", "secondary_key_at"), stamp(now)
            ),
        }
        try:
            with self._store.transaction() as db:
                _check_model(db, model_id)
                db.execute(
                    f"INSERT INTO deployments ({', '.join(values)})"
                    f" VALUES ({', '.join('?' * len(values))})",
                    tuple(values.values()),
                )
                deployment_rows.begin_transition(db, name, "create", now)
                audit.record(
                    db,
                    action="deployment.create",
                    subject=f"deployment/{name}",
                    after={"model": model_id, "auth": auth, "telemetry": telemetry},
                )
        except sqlite3.IntegrityError as error:
            raise ConflictError(f"“{name}” is already deployed; choose another name.") from error
        log.info("deployed %s from %s", name, model_id)
        return self.get(name)

    def begin_update(
        self, name: str, *, model_id: str | None = None, telemetry: bool | None = None
    ) -> Deployment:
        before = self.get(name)
        if before.state is DeploymentState.TRANSITIONING:
            raise ConflictError(f"“{name}” is still in transition; wait until it has settled.")
        with self._store.transaction() as db:
            row = deployment_rows.read(db, name)
            if row is None:
                raise NotFoundError("deployment", name)
            if model_id is not None:
                _check_model(db, model_id)
            wanted = {
                "model": row["model_id"] if model_id is None else model_id,
                "telemetry": bool(row["telemetry_enabled"]) if telemetry is None else telemetry,
            }
            current = {
                "model": row["model_id"],
                "telemetry": bool(row["telemetry_enabled"]),
            }
            if wanted != current or row["failed_at"] is not None:
                self._decide(db, row, current, wanted)
        return self.get(name)

    def _decide(
        self,
        db: sqlite3.Connection,
        row: sqlite3.Row,
        current: Mapping[str, Any],
        wanted: Mapping[str, Any],
    ) -> None:
        now, failed = self._clock(), row["failed_at"] is not None
        db.execute(
            "UPDATE deployments SET model_id = ?, telemetry_enabled = ?, updated_at = ?,"
            " generation = generation + 1, failed_at = NULL, error = '', incarnation = ?"
            " WHERE name = ?",
            (
                wanted["model"],
                wanted["telemetry"],
                stamp(now),
                # A new incarnation has the supervisor start what it had given up.
                deployment_rows.new_incarnation() if failed else row["incarnation"],
                row["name"],
            ),
        )
        only_telemetry = wanted["model"] == current["model"] and not failed
        deployment_rows.begin_transition(
            db, row["name"], "update telemetry" if only_telemetry else "update model", now
        )
        audit.record(
            db,
            action="deployment.update",
            subject=f"deployment/{row['name']}",
            before=current,
            after=wanted,
        )
        log.info("updating %s: %s", row["name"], wanted)

    def delete(self, name: str) -> None:
        with self._store.transaction() as db:
            row = deployment_rows.read(db, name)
            if row is None:
                return
            db.execute("DELETE FROM deployments WHERE name = ?", (name,))
            deployment_rows.end_transitions(db, name, DeploymentState.UNKNOWN, self._clock())
            audit.record(
                db,
                action="deployment.delete",
                subject=f"deployment/{name}",
                before={"model": row["model_id"]},
            )
        deployment_rows.log_file(self._home, name).unlink(missing_ok=True)
        log.info("deleted %s", name)

    def transitions(self, name: str | None = None) -> tuple[Transition, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM deployment_transitions WHERE ? IS NULL OR deployment = ?"
                " ORDER BY id DESC LIMIT 500",
                (name, name),
            ).fetchall()
        return tuple(_transition(row) for row in rows)

    def keys(self, name: str) -> Keys:
        row = self._row(name)
        _check_auth(row)
        return Keys(
            primary=row["primary_key"],
            secondary=row["secondary_key"],
            primary_regenerated_at=instant(row["primary_key_at"]),
            secondary_regenerated_at=instant(row["secondary_key_at"]),
        )

    def keys_replaced_at(self, name: str) -> Mapping[KeyKind, datetime]:
        with self._store.reading() as db:
            row = deployment_rows.read(db, name)
        if row is None or not row["auth_enabled"]:
            return {}
        known = {
            KeyKind.PRIMARY: instant(row["primary_key_at"]),
            KeyKind.SECONDARY: instant(row["secondary_key_at"]),
        }
        return {kind: at for kind, at in known.items() if at is not None}

    def begin_regenerate_key(self, name: str, kind: KeyKind) -> None:
        seen = self._table.observed(deployment_rows.process_key(name))
        with self._store.transaction() as db:
            row = deployment_rows.read(db, name)
            if row is None:
                raise NotFoundError("deployment", name)
            _check_auth(row)
            deployment_rows.plan_key(db, name, kind)
            audit.record(
                db,
                action="deployment.regenerate key",
                subject=f"deployment/{name}",
                after={"key": kind.value},
            )
            if seen is None or not seen.running:  # nobody accepts the old one
                planned = deployment_rows.read(db, name)
                assert planned is not None  # read above
                deployment_rows.adopt_keys(db, planned, self._clock())
        log.info("regenerating the %s key of %s", kind, name)

    def logs(self, name: str, *, line_limit: int = 5000) -> LogTail:
        self._row(name)
        path = deployment_rows.log_file(self._home, name)
        text, complete = processes.tail(path, line_limit)
        older = path.with_suffix(".log.1")
        if complete and older.exists():
            missing = line_limit - text.count("\n")
            earlier, all_of_it = processes.tail(older, missing) if missing > 0 else ("", False)
            text, complete = earlier + text, all_of_it and text != ""
        return LogTail(
            text=text, line_count=len(text.splitlines()), limit=line_limit, complete=complete
        )

    def swagger(self, name: str) -> Mapping[str, Any]:
        row = self._row(name)
        if row["port"] is None:
            raise UnavailableError(f"“{name}” has no address yet.")
        connection = http.client.HTTPConnection("127.0.0.1", row["port"], timeout=SWAGGER_TIMEOUT_S)
        try:
            connection.request("GET", "/swagger.json?version=3")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"“{name}” does not answer.") from error
        finally:
            connection.close()
        if answer.status == 404:
            raise NotFoundError("API description for the deployment", name)
        if answer.status != 200:
            raise UnavailableError(f"“{name}” answered {answer.status}; it is not ready.")
        return _document(name, body)

    # --- for other parts of the local workspace ---

    def issue_temporary_key(self, name: str, ttl_s: float) -> str:
        """A key that scores for `ttl_s` seconds, for one that others may see.

        Raises:
            NotFoundError: no such deployment.
        """
        key, now = deployment_rows.new_key(), self._clock()
        with self._store.transaction() as db:
            if deployment_rows.read(db, name) is None:
                raise NotFoundError("deployment", name)
            db.execute("DELETE FROM temporary_keys WHERE expires_at <= ?", (stamp(now),))
            db.execute(
                "INSERT INTO temporary_keys (sha256, deployment, expires_at) VALUES (?, ?, ?)",
                (_sha256(key), name, stamp(now + timedelta(seconds=ttl_s))),
            )
        return key

    def revoke_temporary_key(self, name: str, key: str) -> None:
        """End a temporary key early. One that is gone already stays gone."""
        with self._store.transaction() as db:
            db.execute(
                "DELETE FROM temporary_keys WHERE deployment = ? AND sha256 = ?",
                (name, _sha256(key)),
            )

    def _row(self, name: str) -> sqlite3.Row:
        with self._store.reading() as db:
            row = deployment_rows.read(db, name)
        if row is None:
            raise NotFoundError("deployment", name)
        return row

    def _record(self, row: sqlite3.Row, seen: Observation | None, supervised: bool) -> Deployment:
        now = self._clock()
        health = deployment_state.health(
            row, seen, supervised=supervised, now=now, answers=_answers
        )
        base = None if row["port"] is None else f"http://127.0.0.1:{row['port']}"
        read_back = row["served_telemetry"]
        telemetry = row["telemetry_enabled"] if read_back is None else read_back
        return Deployment(
            name=row["name"],
            model_id=row["model_id"],
            state=health.state,
            scoring_uri=base and f"{base}/score",
            swagger_uri=base and f"{base}/swagger.json",
            auth_enabled=bool(row["auth_enabled"]),
            telemetry_enabled=bool(telemetry),
            created_at=instant(row["created_at"]) or now,
            updated_at=instant(row["updated_at"]) or now,
            state_since=health.since,
            cpu_cores=row["cpu_cores"],
            memory_gb=row["memory_gb"],
            description=row["description"],
            error=health.error,
            properties=_properties(row["served_core"]),
        )


def _answers(port: int) -> bool:
    return answers_well(f"http://127.0.0.1:{port}/", timeout_s=PROBE_TIMEOUT_S)


def _check_model(db: sqlite3.Connection, model_id: str) -> None:
    name, version = split_id("model", model_id)
    found = db.execute(
        "SELECT 1 FROM models WHERE name = ? AND version = ?", (name, version)
    ).fetchone()
    if found is None:
        raise NotFoundError("model", model_id)


def _check_auth(row: sqlite3.Row) -> None:
    if not row["auth_enabled"]:
        raise InvalidRequestError(f"“{row['name']}” accepts anonymous calls; it has no keys.")


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _properties(core: str | None) -> Mapping[str, str]:
    return {} if core is None else {str(k): str(v) for k, v in json.loads(core).items()}


def _document(name: str, body: bytes) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError("no JSON object")
    except (ValueError, RecursionError) as error:
        raise OperationFailedError(
            f"“{name}” describes itself in something other than JSON."
        ) from error
    return document


def _transition(row: sqlite3.Row) -> Transition:
    started_at: datetime | None = instant(row["started_at"])
    assert started_at is not None  # the column is NOT NULL
    outcome = row["outcome"]
    return Transition(
        kind=row["kind"],
        started_at=started_at,
        ended_at=instant(row["ended_at"]),
        outcome=None if outcome is None else DeploymentState(outcome),
    )
