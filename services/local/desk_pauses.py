"""Pauses of schedules that live elsewhere, kept in the store of this workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from services.domain import AssetStatus, Pause
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.pauses import Ending, KeptPause

WATCHER = "watcher"
_SAID = {
    Ending.RESUMED: "it was paused until {until}",
    Ending.ENABLED: "somebody had enabled it elsewhere",
    Ending.GONE: "the schedule is gone",
}


class DeskPauses:
    """The database decides who was first: one open pause per schedule."""

    def __init__(self, store: Store, workspace: str, *, clock: Clock = utc_now) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock

    def open(self) -> dict[str, KeptPause]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_pauses WHERE workspace = ? AND ended_at IS NULL"
                " ORDER BY until, name",
                (self._workspace,),
            ).fetchall()
        return {row["schedule_id"]: _kept(row) for row in rows}

    def of(self, schedule_id: str) -> tuple[KeptPause, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_pauses WHERE workspace = ? AND schedule_id = ?"
                " ORDER BY id DESC LIMIT 500",
                (self._workspace, schedule_id),
            ).fetchall()
        return tuple(map(_kept, rows))

    def begin(
        self, names: Mapping[str, str], *, reason: str, until: datetime
    ) -> tuple[KeptPause, ...]:
        now, who = stamp(self._clock()), audit.account()
        with self._store.transaction() as db:
            rows = [
                db.execute(
                    "INSERT INTO desk_pauses (workspace, schedule_id, name, reason, paused_at,"
                    " paused_by, until) VALUES (?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (workspace, schedule_id) WHERE ended_at IS NULL DO UPDATE SET"
                    " name = excluded.name, reason = excluded.reason, until = excluded.until,"
                    " paused_at = excluded.paused_at, paused_by = excluded.paused_by,"
                    " tried_at = NULL, problem = '' RETURNING *",
                    (self._workspace, schedule_id, name, reason.strip(), now, who, stamp(until)),
                ).fetchone()
                for schedule_id, name in names.items()
            ]
        return tuple(map(_kept, rows))

    def disabled(self, pause_id: int) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE desk_pauses SET disabled_at = coalesce(disabled_at, ?) WHERE id = ?",
                (stamp(self._clock()), pause_id),
            )

    def claim(self, kept: KeptPause) -> bool:
        with self._store.transaction() as db:
            claimed = db.execute(
                "UPDATE desk_pauses SET tried_at = ? WHERE id = ? AND ended_at IS NULL"
                " AND until = ? AND tried_at IS ?",
                (stamp(self._clock()), kept.id, stamp(kept.pause.until), stamp(kept.tried_at)),
            )
        return claimed.rowcount == 1

    def hold(self, pause_id: int, problem: str) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE desk_pauses SET problem = ? WHERE id = ? AND ended_at IS NULL",
                (problem, pause_id),
            )

    def end(self, pause_id: int, ending: Ending, *, until: datetime | None = None) -> bool:
        with self._store.transaction() as db:
            row = db.execute(
                "UPDATE desk_pauses SET ended_at = ?, ending = ? WHERE id = ?"
                " AND ended_at IS NULL AND (? IS NULL OR until = ?) RETURNING *",
                (stamp(self._clock()), ending, pause_id, stamp(until), stamp(until)),
            ).fetchone()
            if row is not None and ending in _SAID:
                self._note(db, row, ending)
        return row is not None

    def _note(self, db: sqlite3.Connection, row: sqlite3.Row, ending: Ending) -> None:
        resumed = ending is Ending.RESUMED
        audit.record(
            db,
            action="schedule.resume" if resumed else "schedule.pause over",
            subject=f"schedule/{row['name']}",
            before={"status": AssetStatus.DISABLED, "reason": row["reason"]},
            after={
                **({"status": AssetStatus.ACTIVE} if resumed else {}),
                "because": _SAID[ending].format(until=row["until"]),
            },
            actor=WATCHER,
            workspace=self._workspace,
        )


def _kept(row: sqlite3.Row) -> KeptPause:
    paused_at, until = instant(row["paused_at"]), instant(row["until"])
    assert paused_at is not None  # the columns are NOT NULL
    assert until is not None
    return KeptPause(
        id=row["id"],
        schedule_id=row["schedule_id"],
        name=row["name"],
        pause=Pause(
            reason=row["reason"],
            paused_at=paused_at,
            paused_by=row["paused_by"],
            until=until,
            problem=row["problem"],
        ),
        disabled_at=instant(row["disabled_at"]),
        tried_at=instant(row["tried_at"]),
        ended_at=instant(row["ended_at"]),
        ending=None if row["ending"] is None else Ending(row["ending"]),
    )
