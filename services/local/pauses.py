"""Schedules that stand still for a while, for a reason, and go on by themselves."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from services import recurrence as rules
from services.domain import AssetStatus, Pause
from services.errors import NotFoundError
from services.local import audit
from services.local import pipeline_records as records
from services.local.store import Store, stamp

log = logging.getLogger(__name__)

_INSTANT_BEFORE = timedelta(microseconds=1)


def begin(
    db: sqlite3.Connection,
    schedule_ids: Sequence[str],
    *,
    reason: str,
    until: datetime,
    now: datetime,
) -> tuple[str, ...]:
    """Pause those that are Active, and move the end of those that are paused; their ids.

    Raises:
        NotFoundError: there is no such schedule; none is paused then.
    """
    paused = []
    for schedule_id in dict.fromkeys(schedule_ids):
        row = db.execute("SELECT * FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
        if row is None:
            raise NotFoundError("schedule", schedule_id)
        before = of(db).get(schedule_id)
        if row["status"] != AssetStatus.ACTIVE and before is None:
            continue
        db.execute(
            "UPDATE schedules SET status = ?, next_fire_at = NULL WHERE id = ?",
            (AssetStatus.DISABLED, schedule_id),
        )
        db.execute(
            "INSERT OR REPLACE INTO schedule_pauses (schedule_id, reason, paused_at, paused_by,"
            " until) VALUES (?, ?, ?, ?, ?)",
            (schedule_id, reason.strip(), stamp(now), audit.account(), stamp(until)),
        )
        audit.record(
            db,
            action="schedule.pause",
            subject=f"schedule/{row['name']}",
            before={"status": row["status"]} | ({"until": before.until} if before else {}),
            after={"status": AssetStatus.DISABLED, "until": until, "reason": reason.strip()},
        )
        paused.append(schedule_id)
    return tuple(paused)


def end(db: sqlite3.Connection, schedule_id: str) -> None:
    """Somebody decided otherwise: what becomes of the schedule is no longer the pause's."""
    db.execute("DELETE FROM schedule_pauses WHERE schedule_id = ?", (schedule_id,))


def of(db: sqlite3.Connection) -> dict[str, Pause]:
    """Schedule id → the pause it is in."""
    return {row["schedule_id"]: _pause(row) for row in db.execute("SELECT * FROM schedule_pauses")}


def resume_due(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Activate what was paused until now or earlier, as from then on; the names.

    A time that fell due after the end of the pause, while nobody looked, counts as missed.
    """
    with store.reading() as db:
        if not _due(db, now):
            return ()
    resumed = []
    with store.transaction() as db:
        for row in _due(db, now):
            end(db, row["id"])
            _activate(db, row, until=records.given(row["until"]))
            resumed.append(str(row["name"]))
    log.info("resumed %s", ", ".join(resumed))
    return tuple(resumed)


def _due(db: sqlite3.Connection, now: datetime) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT schedules.*, until, reason FROM schedule_pauses"
        " JOIN schedules ON schedules.id = schedule_id WHERE until <= ? ORDER BY until, name",
        (stamp(now),),
    ).fetchall()


def _activate(db: sqlite3.Connection, row: sqlite3.Row, *, until: datetime) -> None:
    decided_until = until - _INSTANT_BEFORE
    following = rules.next_fires(
        records.read_recurrence(row["recurrence"]),
        anchored_at=records.given(row["anchored_at"]),
        after=decided_until,
        count=1,
    )
    db.execute(
        "UPDATE schedules SET status = ?, decided_until = ?, next_fire_at = ? WHERE id = ?",
        (
            AssetStatus.ACTIVE,
            stamp(decided_until),
            stamp(following[0]) if following else None,
            row["id"],
        ),
    )
    audit.record(
        db,
        action="schedule.resume",
        subject=f"schedule/{row['name']}",
        before={"status": row["status"], "reason": row["reason"]},
        after={"status": AssetStatus.ACTIVE, "because": f"it was paused until {until}"},
        actor="supervisor",
    )


def _pause(row: sqlite3.Row) -> Pause:
    return Pause(
        reason=row["reason"],
        paused_at=records.given(row["paused_at"]),
        paused_by=row["paused_by"],
        until=records.given(row["until"]),
    )
