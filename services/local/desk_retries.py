"""Retries of pipeline runs that live elsewhere, kept in the store of this workspace."""

from __future__ import annotations

import json
import sqlite3

from services.domain import PipelineRun
from services.errors import ConflictError
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.retries import Attempt, KeptRetry


class DeskRetries:
    """The database decides who was first: one attempt at a time."""

    def __init__(self, store: Store, workspace: str, *, clock: Clock = utc_now) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock

    def attempts(self) -> dict[str, Attempt]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT desk_attempts.run_id, retry_of, schedule_id FROM desk_attempts"
                " JOIN desk_retries ON desk_retries.workspace = desk_attempts.workspace"
                " AND desk_retries.run_id = retry_of WHERE desk_attempts.workspace = ?",
                (self._workspace,),
            ).fetchall()
        return {
            row["run_id"]: Attempt(retry_of=row["retry_of"], schedule_id=row["schedule_id"])
            for row in rows
        }

    def open(self) -> tuple[KeptRetry, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_retries WHERE workspace = ? AND ended_at IS NULL"
                " ORDER BY asked_at, run_id",
                (self._workspace,),
            ).fetchall()
            return tuple(self._kept(db, row) for row in rows)

    def begin(self, run: PipelineRun, *, at_most: int) -> KeptRetry:
        now = stamp(self._clock())
        with self._store.transaction() as db:
            first = self._first(db, run.id)
            row = self._row(db, first)
            if row is not None and row["ended_at"] is None:
                raise ConflictError(
                    "This run is being retried already; wait for the attempt under way."
                )
            made = len(self._made(db, first))
            db.execute(
                "INSERT INTO desk_retries (workspace, run_id, pipeline_id, experiment, schedule_id,"
                " parameters, at_most, asked_at, submitting_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (workspace, run_id) DO UPDATE SET at_most = excluded.at_most,"
                " asked_at = excluded.asked_at, submitting_at = excluded.submitting_at,"
                " ended_at = NULL, outcome = ''",
                (
                    *(self._workspace, first, run.pipeline_id, run.experiment, run.schedule_id),
                    *(json.dumps(dict(run.parameters)), at_most + made, now, now),
                ),
            )
            audit.record(
                db,
                action="pipeline.retry",
                subject=f"pipeline run/{first}",
                after={"at_most": at_most},
                workspace=self._workspace,
            )
            return self._kept(db, self._row(db, first))

    def claim(self, kept: KeptRetry) -> KeptRetry | None:
        with self._store.transaction() as db:
            claimed = db.execute(
                "UPDATE desk_retries SET submitting_at = ? WHERE workspace = ? AND run_id = ?"
                " AND ended_at IS NULL AND submitting_at IS ?",
                (
                    *(stamp(self._clock()), self._workspace, kept.run_id),
                    stamp(kept.submitting_at),
                ),
            )
            if not claimed.rowcount:
                return None
            return self._kept(db, self._row(db, kept.run_id))

    def attempted(self, run_id: str, attempt_id: str) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO desk_attempts (workspace, run_id, retry_of, at)"
                " VALUES (?, ?, ?, ?)",
                (self._workspace, attempt_id, run_id, stamp(self._clock())),
            )
            db.execute(
                "UPDATE desk_retries SET submitting_at = NULL WHERE workspace = ? AND run_id = ?",
                (self._workspace, run_id),
            )

    def end(self, run_id: str, outcome: str) -> None:
        with self._store.transaction() as db:
            ended = db.execute(
                "UPDATE desk_retries SET ended_at = ?, outcome = ?, submitting_at = NULL"
                " WHERE workspace = ? AND run_id = ? AND ended_at IS NULL",
                (stamp(self._clock()), outcome, self._workspace, run_id),
            )
            if ended.rowcount:
                audit.record(
                    db,
                    action="pipeline.retry over",
                    subject=f"pipeline run/{run_id}",
                    after={"because": outcome},
                    workspace=self._workspace,
                )

    # --- within ---

    def _first(self, db: sqlite3.Connection, run_id: str) -> str:
        row = db.execute(
            "SELECT retry_of FROM desk_attempts WHERE workspace = ? AND run_id = ?",
            (self._workspace, run_id),
        ).fetchone()
        return run_id if row is None else str(row["retry_of"])

    def _row(self, db: sqlite3.Connection, run_id: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM desk_retries WHERE workspace = ? AND run_id = ?",
            (self._workspace, run_id),
        ).fetchone()
        return row

    def _made(self, db: sqlite3.Connection, run_id: str) -> tuple[str, ...]:
        rows = db.execute(
            "SELECT run_id FROM desk_attempts WHERE workspace = ? AND retry_of = ? ORDER BY id",
            (self._workspace, run_id),
        )
        return tuple(row["run_id"] for row in rows)

    def _kept(self, db: sqlite3.Connection, row: sqlite3.Row | None) -> KeptRetry:
        assert row is not None  # it was written or read in this transaction
        return KeptRetry(
            run_id=row["run_id"],
            pipeline_id=row["pipeline_id"],
            experiment=row["experiment"],
            schedule_id=row["schedule_id"],
            at_most=row["at_most"],
            parameters=json.loads(row["parameters"]),
            attempts=self._made(db, row["run_id"]),
            submitting_at=instant(row["submitting_at"]),
            ended_at=instant(row["ended_at"]),
        )
