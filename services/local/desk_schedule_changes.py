"""Changes of schedules that live elsewhere, kept in the store of this workspace."""

from __future__ import annotations

from services.local.store import Store, instant, stamp
from services.schedule_changes import Change

READ_AT_ONCE = 5_000


class DeskScheduleChanges:
    def __init__(self, store: Store, workspace: str) -> None:
        self._store, self._workspace = store, workspace

    def record(self, change: Change) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO desk_schedule_changes (workspace, schedule_id, was_changed_at,"
                " changed_at, was_active, same_recurrence) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(self._workspace, change.schedule_id),
                    *(stamp(change.was_changed_at), stamp(change.changed_at)),
                    *(change.was_active, change.same_recurrence),
                ),
            )

    def all(self) -> dict[str, list[Change]]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_schedule_changes WHERE workspace = ? ORDER BY id DESC LIMIT ?",
                (self._workspace, READ_AT_ONCE),
            ).fetchall()
        found: dict[str, list[Change]] = {}
        for row in rows:
            was_changed_at, changed_at = instant(row["was_changed_at"]), instant(row["changed_at"])
            assert was_changed_at is not None  # the columns are NOT NULL
            assert changed_at is not None
            change = Change(
                schedule_id=row["schedule_id"],
                was_changed_at=was_changed_at,
                changed_at=changed_at,
                was_active=bool(row["was_active"]),
                same_recurrence=bool(row["same_recurrence"]),
            )
            found.setdefault(change.schedule_id, []).append(change)
        return found
