"""Failed pipeline runs that are submitted again, as they were, a number of times."""

from __future__ import annotations

import json
import logging
import sqlite3
from datetime import datetime

from services import retries as rules
from services.domain import RunStatus
from services.errors import ConflictError, NotFoundError, ServiceError
from services.local import audit
from services.local.pipeline_journal import PipelineJournal
from services.local.store import Store, stamp

log = logging.getLogger(__name__)


def begin(
    db: sqlite3.Connection, journal: PipelineJournal, run_id: str, *, at_most: int, now: datetime
) -> str:
    """Submit a failed run again, now; the id of the attempt.

    Raises:
        NotFoundError: no pipeline run has this id.
        ConflictError: it did not fail, or is being retried already.
        InvalidRequestError: nobody should retry so often.
    """
    rules.check(at_most)
    row = db.execute("SELECT * FROM pipeline_runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFoundError("pipeline run", run_id)
    if row["status"] != RunStatus.FAILED:
        raise ConflictError(f"Only a failed run can be retried; this one is {row['status']}.")
    first = row["retry_of"] or run_id
    if _open(db, first):
        raise ConflictError("This run is being retried already; wait for the attempt under way.")
    db.execute(
        "INSERT OR REPLACE INTO pipeline_retries (run_id, at_most, asked_at) VALUES (?, ?, ?)",
        (first, at_most + _made(db, first), stamp(now)),
    )
    audit.record(
        db,
        action="pipeline.retry",
        subject=f"pipeline run/{first}",
        after={"at_most": at_most},
    )
    return _submit(db, journal, first, actor=None)


def go_on(store: Store, journal: PipelineJournal, *, now: datetime) -> None:
    """Try again what failed again; leave what completed, was canceled, or failed too often."""
    with store.reading() as db:
        if not _waiting(db):
            return
    with store.transaction() as db:
        for row in _waiting(db):
            _decide(db, journal, row, now=now)


def _decide(
    db: sqlite3.Connection, journal: PipelineJournal, row: sqlite3.Row, *, now: datetime
) -> None:
    first, made = row["run_id"], _made(db, row["run_id"])
    if row["status"] != RunStatus.FAILED:
        outcome = f"attempt {made} was {row['status']}"
    elif made >= row["at_most"]:
        outcome = f"all {made} attempts failed"
    else:
        try:
            attempt = _submit(db, journal, first, actor="supervisor")
        except ServiceError as error:
            outcome = str(error)
        else:
            log.info("run %s failed again: attempt %d is %s", first, made + 1, attempt)
            return
    db.execute(
        "UPDATE pipeline_retries SET ended_at = ?, outcome = ? WHERE run_id = ?",
        (stamp(now), outcome, first),
    )
    log.info("retrying run %s ended: %s", first, outcome)


def _submit(
    db: sqlite3.Connection, journal: PipelineJournal, first: str, *, actor: str | None
) -> str:
    row = db.execute("SELECT * FROM pipeline_runs WHERE id = ?", (first,)).fetchone()
    attempt = journal.submit(
        db,
        row["pipeline_id"],
        row["experiment"],
        parameters=json.loads(row["parameters"]),
        run_source=rules.SOURCE,
        schedule_id=row["schedule_id"],
        actor=actor,
    )
    db.execute("UPDATE pipeline_runs SET retry_of = ? WHERE id = ?", (first, attempt))
    return attempt


def _waiting(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Open retries whose newest attempt has settled, with how."""
    found = db.execute(
        "SELECT pipeline_retries.*, (SELECT status FROM pipeline_runs WHERE retry_of ="
        " pipeline_retries.run_id ORDER BY pipeline_runs.rowid DESC LIMIT 1) AS status"
        " FROM pipeline_retries WHERE ended_at IS NULL"
    ).fetchall()
    return [row for row in found if RunStatus(row["status"]).settled]


def _open(db: sqlite3.Connection, first: str) -> bool:
    row = db.execute("SELECT ended_at FROM pipeline_retries WHERE run_id = ?", (first,)).fetchone()
    return row is not None and row["ended_at"] is None


def _made(db: sqlite3.Connection, first: str) -> int:
    (count,) = db.execute(
        "SELECT count(*) FROM pipeline_runs WHERE retry_of = ?", (first,)
    ).fetchone()
    return int(count)
