"""Has every submitted pipeline run done once, and submits what schedules say is due."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services import recurrence as rules
from services.domain import AssetStatus, RunStatus
from services.errors import ServiceError
from services.local import full_disk, pauses, retries
from services.local import pipeline_records as records
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.pipeline_endpoints import pipeline_behind
from services.local.pipeline_journal import PipelineJournal
from services.local.pipelines import worker_key
from services.local.process_table import ProcessTable
from services.local.runs import LocalRuns
from services.local.schedules import first_due
from services.local.store import Store, stamp

log = logging.getLogger(__name__)

RUNS_AT_ONCE = 2  # a retraining run mostly waits; the training worker does the work
FORGOTTEN_AFTER = timedelta(seconds=10)


class PipelineDuty(Duty):
    def __init__(self, home: Path, store: Store, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock
        self._journal = PipelineJournal(home, store, clock=clock)
        self._table = ProcessTable(store)

    def programs(self) -> Sequence[Program]:
        wanted = [row for row in self._journal.unsettled() if row["cancel_requested_at"] is None]
        wanted.sort(key=lambda row: row["status"] == RunStatus.QUEUED)  # those at work stay
        return [self._program(row["id"]) for row in wanted[:RUNS_AT_ONCE]]

    def _program(self, run_id: str) -> Program:
        return Program(
            key=worker_key(run_id),
            module="services.local.pipeline_worker",
            args=(str(self._home), run_id),
            log=self._journal.log(run_id),
            server=False,
            env={"OMP_NUM_THREADS": "1"},
        )

    def exited(self, exit: Exit) -> None:
        self._end(exit.key.removeprefix("pipeline/"), _reason(exit))

    def tick(self, now: datetime) -> None:
        pauses.resume_due(self._store, now=now)
        self._fire_what_is_due(now)
        self._end_what_was_forgotten(now)
        retries.go_on(self._store, self._journal, now=now)

    # --- schedules ---

    def _fire_what_is_due(self, now: datetime) -> None:
        with self._store.reading() as db:
            due = db.execute(
                "SELECT * FROM schedules WHERE next_fire_at <= ? ORDER BY next_fire_at",
                (stamp(now),),
            ).fetchall()
        for schedule in due:
            self._fire(schedule, now)

    def _fire(self, schedule: sqlite3.Row, now: datetime) -> None:
        """Submit once for everything that is due: claimed, submitted and recorded together."""
        recurrence = records.read_recurrence(schedule["recurrence"])
        anchored_at = records.given(schedule["anchored_at"])
        latest, missed = rules.collapse(
            recurrence,
            anchored_at=anchored_at,
            after=records.given(schedule["decided_until"]),
            until=now,
        )
        following = first_due(recurrence, anchored_at=anchored_at, after=now)
        with self._store.transaction() as db:
            claimed = db.execute(
                "UPDATE schedules SET decided_until = ?, next_fire_at = ?"
                " WHERE id = ? AND status = ? AND next_fire_at = ? AND decided_until = ?",
                (
                    stamp(now),
                    stamp(following),
                    schedule["id"],
                    AssetStatus.ACTIVE,
                    schedule["next_fire_at"],
                    schedule["decided_until"],
                ),
            ).rowcount
            if not claimed or latest is None:
                return
            run_id, reason = self._submit(db, schedule)
            db.execute(
                "INSERT INTO firings (schedule_id, due_at, fired_at, run_id, reason, missed_count)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (schedule["id"], stamp(latest), stamp(now), run_id, reason, missed),
            )
        log.info(
            "schedule %s, due %s: %s; %d missed before",
            schedule["name"],
            latest,
            run_id or reason,
            missed,
        )

    def _submit(self, db: sqlite3.Connection, schedule: sqlite3.Row) -> tuple[str | None, str]:
        """The run's id; or None and why there is none."""
        try:
            pipeline_id = schedule["pipeline_id"] or pipeline_behind(
                db, schedule["pipeline_endpoint_id"], None
            )
            run_id = self._journal.submit(
                db,
                pipeline_id,
                schedule["experiment"],
                parameters=json.loads(schedule["parameters"]),
                run_source="Schedule",
                schedule_id=schedule["id"],
            )
        except ServiceError as error:
            return None, str(error)
        return run_id, ""

    # --- ends ---

    def _end_what_was_forgotten(self, now: datetime) -> None:
        """Runs whose worker ended without anybody being told, as when a supervisor was killed."""
        for row in self._journal.unsettled():
            worker = self._table.observed(worker_key(row["id"]))
            if worker is not None and worker.exited_at is not None:
                if abs(now - worker.exited_at) > FORGOTTEN_AFTER or row["cancel_requested_at"]:
                    self._end(row["id"], _forgotten(worker.exit_code))
            elif worker is None and row["cancel_requested_at"] is not None:
                self._end(row["id"], "")

    def _end(self, run_id: str, reason: str) -> None:
        """Settle a run whose worker is gone, and the training it had begun with it."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM pipeline_runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or RunStatus(row["status"]).settled:
            return
        if row["training_run_id"] is not None:
            LocalRuns(self._home, self._store).cancel(row["training_run_id"])
        if row["cancel_requested_at"] is not None:
            self._journal.settle(run_id, RunStatus.CANCELED)
        else:
            self._journal.settle(run_id, RunStatus.FAILED, error=reason)


def _forgotten(code: int | None) -> str:
    if code == full_disk.EXIT_CODE:
        return full_disk.told("submit it again")
    return "The pipeline worker ended before the run did."


def _reason(exit: Exit) -> str:
    if full_disk.ended(exit):
        return full_disk.told("submit it again")
    if exit.cause is not ExitCause.ITSELF:
        return f"The pipeline run was interrupted: {exit.cause}. Submit it again."
    last = exit.log_tail.strip().splitlines()[-1:] if exit.code and exit.code > 0 else []
    said = f" Its last words: {last[0]}" if last else ""
    return f"The pipeline worker {exit.how} before the run was finished.{said} Submit it again."
