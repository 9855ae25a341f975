"""Schedules of the local workspace: rows that name when the supervisor submits what."""

from __future__ import annotations

import json
import logging
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services import pauses as pause_rules
from services import recurrence as rules
from services.domain import (
    AssetStatus,
    Firing,
    PipelineKind,
    PipelineRun,
    Recurrence,
    Schedule,
    check_asset_name,
)
from services.errors import InvalidRequestError, NotFoundError
from services.local import audit, pauses
from services.local import pipeline_records as records
from services.local.clock import Clock, utc_now
from services.local.pipeline_definitions import merged
from services.local.pipeline_endpoints import record_status
from services.local.store import Store, stamp
from services.ports import Schedules

log = logging.getLogger(__name__)

_INSTANT_BEFORE = timedelta(microseconds=1)


class LocalSchedules(Schedules):
    """The row holds the next due time, so that the supervisor claims it with one UPDATE."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def list(self) -> tuple[Schedule, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM schedules ORDER BY created_at DESC, id").fetchall()
            last, paused = _last_runs(db), pauses.of(db)
        return tuple(
            records.schedule(row, last_run=last.get(row["id"]), pause=paused.get(row["id"]))
            for row in rows
        )

    def get(self, schedule_id: str) -> Schedule:
        with self._store.reading() as db:
            row = _row(db, schedule_id)
            last, paused = _last_runs(db, schedule_id), pauses.of(db)
        return records.schedule(row, last_run=last.get(schedule_id), pause=paused.get(schedule_id))

    def create(
        self,
        name: str,
        recurrence: Recurrence,
        *,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        experiment: str,
        description: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        _check(name, recurrence, experiment)
        if (pipeline_id is None) == (pipeline_endpoint_id is None):
            raise InvalidRequestError(
                "A schedule submits either a pipeline or a pipeline endpoint."
            )
        schedule_id = str(uuid.uuid4())
        now = self._clock()
        with self._store.transaction() as db:
            _check_target(db, pipeline_id, pipeline_endpoint_id, parameters or {})
            db.execute(
                "INSERT INTO schedules (id, name, status, created_at, description, experiment,"
                " pipeline_id, pipeline_endpoint_id, parameters, recurrence, anchored_at,"
                " decided_until, next_fire_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    schedule_id,
                    name,
                    AssetStatus.ACTIVE,
                    stamp(now),
                    description,
                    experiment,
                    pipeline_id,
                    pipeline_endpoint_id,
                    json.dumps(dict(parameters or {})),
                    records.write_recurrence(recurrence),
                    stamp(now),
                    stamp(now - _INSTANT_BEFORE),
                    stamp(first_due(recurrence, anchored_at=now, after=now - _INSTANT_BEFORE)),
                ),
            )
            audit.record(
                db,
                action="schedule.create",
                subject=f"schedule/{name}",
                after=_described(_row(db, schedule_id)),
            )
        log.info("scheduled %s: %s", name, rules.in_words(recurrence))
        return self.get(schedule_id)

    def update(
        self,
        schedule_id: str,
        *,
        name: str | None = None,
        recurrence: Recurrence | None = None,
        experiment: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        given = {"name": name, "experiment": experiment, "description": description}
        with self._store.transaction() as db:
            before = _row(db, schedule_id)
            changes: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
            if parameters is not None:
                _check_target(db, before["pipeline_id"], before["pipeline_endpoint_id"], parameters)
                changes["parameters"] = json.dumps(dict(parameters))
            current = records.read_recurrence(before["recurrence"])
            if recurrence is not None and recurrence != current:
                changes |= self._rescheduled(recurrence, active=_active(before))
            _check(
                changes.get("name", before["name"]),
                recurrence or current,
                changes.get("experiment", before["experiment"]),
            )
            _change(db, schedule_id, changes)
            after = _row(db, schedule_id)
            if changes:
                audit.record(
                    db,
                    action="schedule.update",
                    subject=f"schedule/{after['name']}",
                    before=_described(before),
                    after=_described(after),
                )
        return self.get(schedule_id)

    def enable(self, schedule_id: str) -> None:
        now = self._clock()
        with self._store.transaction() as db:
            row = _row(db, schedule_id)
            if _active(row):
                return
            due = first_due(
                records.read_recurrence(row["recurrence"]),
                anchored_at=records.given(row["anchored_at"]),
                after=now,
            )
            _change(
                db,
                schedule_id,
                {
                    "status": AssetStatus.ACTIVE,
                    "decided_until": stamp(now),
                    "next_fire_at": stamp(due),
                },
            )
            pauses.end(db, schedule_id)
            record_status(db, "schedule", row["name"], row["status"], AssetStatus.ACTIVE)

    def disable(self, schedule_id: str) -> None:
        with self._store.transaction() as db:
            row = _row(db, schedule_id)
            _change(db, schedule_id, {"status": AssetStatus.DISABLED, "next_fire_at": None})
            pauses.end(db, schedule_id)
            record_status(db, "schedule", row["name"], row["status"], AssetStatus.DISABLED)

    def pause(
        self, schedule_ids: Sequence[str], *, reason: str, until: datetime
    ) -> tuple[str, ...]:
        now = self._clock()
        pause_rules.check(reason, until, now=now)
        with self._store.transaction() as db:
            return pauses.begin(db, schedule_ids, reason=reason, until=until, now=now)

    def delete(self, schedule_id: str) -> None:
        with self._store.transaction() as db:
            row = db.execute("SELECT * FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
            if row is None:
                return
            pauses.end(db, schedule_id)
            db.execute("DELETE FROM firings WHERE schedule_id = ?", (schedule_id,))
            db.execute("DELETE FROM schedules WHERE id = ?", (schedule_id,))
            audit.record(
                db,
                action="schedule.delete",
                subject=f"schedule/{row['name']}",
                before=_described(row),
            )

    def firings(self, schedule_id: str, *, limit: int = 100) -> tuple[Firing, ...]:
        with self._store.reading() as db:
            _row(db, schedule_id)
            rows = db.execute(
                "SELECT * FROM firings WHERE schedule_id = ? ORDER BY due_at DESC LIMIT ?",
                (schedule_id, limit),
            ).fetchall()
        return tuple(map(records.firing, rows))

    def _rescheduled(self, recurrence: Recurrence, *, active: bool) -> dict[str, Any]:
        """A changed recurrence begins anew: it is anchored now, and without a start time fires."""
        rules.check(recurrence)
        now = self._clock()
        before = now - _INSTANT_BEFORE
        due = first_due(recurrence, anchored_at=now, after=before) if active else None
        return {
            "recurrence": records.write_recurrence(recurrence),
            "anchored_at": stamp(now),
            "decided_until": stamp(before),
            "next_fire_at": stamp(due),
        }


def first_due(recurrence: Recurrence, *, anchored_at: datetime, after: datetime) -> datetime | None:
    """The first due time after an instant, or None where the calendar ends."""
    due = rules.next_fires(recurrence, anchored_at=anchored_at, after=after, count=1)
    return due[0] if due else None


def _check(name: str, recurrence: Recurrence, experiment: str) -> None:
    check_asset_name("schedule", name)
    check_asset_name("experiment", experiment)
    rules.check(recurrence)


def _check_target(
    db: sqlite3.Connection,
    pipeline_id: str | None,
    endpoint_id: str | None,
    parameters: Mapping[str, str],
) -> None:
    """The target exists, and would accept the parameters today."""
    if endpoint_id is not None:
        row = db.execute(
            "SELECT pipelines.* FROM pipeline_endpoints"
            " JOIN pipeline_endpoint_versions ON endpoint_id = pipeline_endpoints.id"
            " AND pipeline_endpoint_versions.version = default_version"
            " JOIN pipelines ON pipelines.id = pipeline_id WHERE pipeline_endpoints.id = ?",
            (endpoint_id,),
        ).fetchone()
        if row is None:
            raise NotFoundError("pipeline endpoint", endpoint_id)
    else:
        row = db.execute("SELECT * FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
        if row is None:
            raise NotFoundError("published pipeline", str(pipeline_id))
    kind = PipelineKind(row["kind"])
    merged(kind, json.loads(row["fixed"]), json.loads(row["defaults"]), parameters)


def _row(db: sqlite3.Connection, schedule_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM schedules WHERE id = ?", (schedule_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError("schedule", schedule_id)
    return row


def _change(db: sqlite3.Connection, schedule_id: str, changes: Mapping[str, Any]) -> None:
    for column, value in changes.items():
        db.execute(f"UPDATE schedules SET {column} = ? WHERE id = ?", (value, schedule_id))


def _active(row: sqlite3.Row) -> bool:
    return bool(row["status"] == AssetStatus.ACTIVE)


def _last_runs(db: sqlite3.Connection, schedule_id: str | None = None) -> dict[str, PipelineRun]:
    """Schedule id → its newest run."""
    rows = db.execute(
        "SELECT *, max(created_at) FROM pipeline_runs"
        " WHERE schedule_id IS NOT NULL AND (? IS NULL OR schedule_id = ?) GROUP BY schedule_id",
        (schedule_id, schedule_id),
    )
    return {row["schedule_id"]: records.run(row) for row in rows}


def _described(row: sqlite3.Row) -> dict[str, Any]:
    """What the audit says about a schedule."""
    return {
        "status": row["status"],
        "experiment": row["experiment"],
        "target": row["pipeline_id"] or row["pipeline_endpoint_id"],
        "recurrence": rules.in_words(records.read_recurrence(row["recurrence"])),
        "parameters": json.loads(row["parameters"]),
    }
