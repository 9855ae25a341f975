"""The archive of deployments' logs, in the workspace's store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from services import log_archive
from services.domain import LogTail
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.log_archive import ArchivedLine, ArchivedLog, LogArchives

_OF = "workspace = ? AND deployment = ?"


class LocalLogArchives(LogArchives):
    def __init__(self, store: Store, *, workspace: str = "", clock: Clock = utc_now) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock

    def keep(self, deployment: str, tail: LogTail) -> int:
        read = log_archive.lines(tail.text)
        with self._store.reading() as db:  # most tails add nothing: no writer is made to wait
            found = log_archive.joined(self._known(db, deployment, len(read)), read)
        if not found.new:
            return 0
        with self._store.transaction() as db:
            found = log_archive.joined(self._known(db, deployment, len(read)), read)
            self._write(db, deployment, found)
            self._forget(db, deployment)
        return len(found.new)

    def search(self, deployment: str, text: str = "", *, limit: int = 500) -> ArchivedLog:
        whose = (self._workspace, deployment)
        pattern = "%" + "".join(f"\\{c}" if c in "%_\\" else c for c in text.strip()) + "%"
        with self._store.reading() as db:
            total, gaps, since, until = db.execute(
                "SELECT count(*) - coalesce(sum(gap), 0), coalesce(sum(gap), 0), min(read_at),"
                f" max(read_at) FROM log_archive WHERE {_OF}",
                whose,
            ).fetchone()
            matching = (
                f"SELECT id, read_at, gap, text FROM log_archive WHERE {_OF} AND NOT gap"
                " AND text LIKE ? ESCAPE '\\'"
            )
            (count,) = db.execute(
                f"SELECT count(*) FROM ({matching})", (*whose, pattern)
            ).fetchone()
            rows = db.execute(
                f"{matching} ORDER BY id DESC LIMIT ?", (*whose, pattern, limit)
            ).fetchall()
            missing = db.execute(
                f"SELECT id, read_at, gap, text FROM log_archive WHERE {_OF} AND gap AND id > ?",
                (*whose, rows[-1]["id"] if rows else 0),
            ).fetchall()
        return ArchivedLog(
            lines=tuple(map(_line, sorted([*rows, *missing], key=lambda row: row["id"]))),
            found_count=count,
            line_count=total,
            gap_count=gaps,
            since=instant(since),
            read_at=instant(until),
        )

    def _known(self, db: sqlite3.Connection, deployment: str, count: int) -> Sequence[str]:
        """The last lines since the last gap, as many as could be read again."""
        rows = db.execute(
            f"SELECT text FROM log_archive WHERE {_OF} AND id >"
            f" coalesce((SELECT max(id) FROM log_archive WHERE {_OF} AND gap), 0)"
            " ORDER BY id DESC LIMIT ?",
            (self._workspace, deployment, self._workspace, deployment, count),
        ).fetchall()
        return [row["text"] for row in reversed(rows)]

    def _write(self, db: sqlite3.Connection, deployment: str, found: log_archive.Joined) -> None:
        at = stamp(self._clock())
        rows = [(self._workspace, deployment, at, 0, line) for line in found.new]
        if found.gap:
            rows.insert(0, (self._workspace, deployment, at, 1, ""))
        db.executemany(
            "INSERT INTO log_archive (workspace, deployment, read_at, gap, text)"
            " VALUES (?, ?, ?, ?, ?)",
            rows,
        )

    def _forget(self, db: sqlite3.Connection, deployment: str) -> None:
        """The oldest lines beyond what is kept."""
        db.execute(
            f"DELETE FROM log_archive WHERE {_OF} AND id <="
            f" (SELECT id FROM log_archive WHERE {_OF} ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (
                *(self._workspace, deployment, self._workspace, deployment),
                log_archive.KEPT_LINES,
            ),
        )


def _line(row: sqlite3.Row) -> ArchivedLine:
    at = instant(row["read_at"])
    assert at is not None  # the column is NOT NULL
    return ArchivedLine(read_at=at, text=row["text"], gap=bool(row["gap"]))
