"""Connections that are kept between reads: to open one parses every table's definition, which
costs more than most of what is read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT = 8  # as many as read at the same time, as a rule

Signature = tuple[int, int, int, int]


class Readers:
    """Lends a connection to one reader at a time.

    One that was opened on a file which has been replaced since, or written past SQLite, is
    closed: what it remembers of the file may no longer be there.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        """`connect` opens one that may pass from thread to thread."""
        self._path = path
        self._connect = connect
        self._idle: list[tuple[Signature | None, sqlite3.Connection]] = []
        self._lock = threading.Lock()

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """A connection for one block. It goes back unless the block failed."""
        state = self._state()
        db = self._taken(state) or self._connect()
        try:
            yield db
            if db.in_transaction:
                db.execute("ROLLBACK")
        except BaseException:
            db.close()
            raise
        self._back(state, db)

    def _taken(self, state: Signature | None) -> sqlite3.Connection | None:
        with self._lock:
            stale = [db for was, db in self._idle if was != state]
            self._idle = [(was, db) for was, db in self._idle if was == state]
            found = self._idle.pop()[1] if self._idle else None
        for db in stale:
            db.close()
        return found

    def _back(self, state: Signature | None, db: sqlite3.Connection) -> None:
        with self._lock:
            if state is not None and len(self._idle) < KEPT:
                self._idle.append((state, db))
                return
        db.close()

    def _state(self) -> Signature | None:
        """What changes when the file does; commits go beside it, until they are merged into it."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
