"""The workspace's one SQLite file: what was decided, and what was observed last.

Every process of the workspace opens it; WAL lets them read while one writes. A
connection serves one block of one thread at a time; those that read are kept between blocks.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.errors import OperationFailedError, UnavailableError
from services.local import damage
from services.local.readers import Readers

log = logging.getLogger(__name__)

SCHEMA = Path(__file__).with_name("schema")
BUSY_TIMEOUT_S = 15.0


class Store:
    """Transactions on ``workspace.db``. What a transaction acknowledged survives a power cut."""

    def __init__(self, path: Path) -> None:
        """Open or create the file and bring its tables up to date.

        Raises:
            OperationFailedError: the file is damaged or was written by a newer version;
                it is left as it is, and a copy of a damaged one is kept.
            UnavailableError: the folder cannot be written.
        """
        self.path = path
        self._readers = Readers(path, self._open)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _migration_lock(path), damage.explained(path, "opened"):
                damage.check_not_emptied(path)
                self._migrate()
        except OSError as error:
            raise UnavailableError(
                f"The workspace folder {path.parent} cannot be used: {error.strerror}."
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed at the end of the block, or not at all.

        Raises:
            UnavailableError: another process kept the file locked, or the disk is full.
            OperationFailedError: the file is damaged; a copy of it was kept.
        """
        with damage.explained(self.path, "changed"), self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view: what others commit meanwhile is not seen.

        Raises:
            UnavailableError: the file cannot be opened at the moment.
            OperationFailedError: it is damaged; a copy of it was kept.
        """
        with damage.explained(self.path, "read"), self._readers.lent() as db:
            db.execute("BEGIN")
            yield db

    def watch(self) -> Watch:
        """Notices changes made by others, at the price of one small query."""
        return Watch(self.path)

    def setting(self, name: str) -> str | None:
        """A fact about the workspace itself, or None when it was never set."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        with self.transaction() as db:
            db.execute(
                "INSERT INTO settings (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def setting_or(self, name: str, value: str) -> str:
        """The setting, which becomes `value` if it had none: decided once, by whoever is first."""
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", (name, value))
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        db = self._open()
        try:
            yield db
        finally:
            db.close()  # rolls back what was not committed

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = FULL")
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self) -> None:
        with self._connection() as db:
            if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                log.warning("the workspace's file system does not support WAL: %s", self.path)
            old = db.execute("SELECT 1 FROM sqlite_schema").fetchone() is not None
            if not old:
                db.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT)")
            applied = {row["name"] for row in db.execute("SELECT name FROM migrations")}
            scripts = {script.stem: script for script in sorted(SCHEMA.glob("*.sql"))}
            if old and scripts.keys() != applied:  # or a damaged page hides what was applied
                damage.check_sound(db, self.path)
            if unknown := applied - scripts.keys():
                raise OperationFailedError(
                    f"The workspace {self.path.parent} was written by a newer version of the "
                    f"dashboard (it has {max(unknown)}). Update the dashboard, or choose another "
                    "folder with DASHBOARD_HOME."
                )
            for name, script in scripts.items():
                if name not in applied:
                    _apply(db, name, script.read_text(encoding="utf-8"))


class Watch:
    """A connection of its own that knows whether anybody has committed since it last looked.

    Source: SQLite, ``PRAGMA data_version``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._seen: int | None = None

    def changed(self) -> bool:
        """Whether somebody has.

        Raises:
            UnavailableError, OperationFailedError: the file cannot be read.
        """
        with damage.explained(self._path, "read"):
            version: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        changed, self._seen = version != self._seen, version
        return changed

    def close(self) -> None:
        self._db.close()


def _apply(db: sqlite3.Connection, name: str, script: str) -> None:
    log.info("migrating the workspace: %s", name)
    stamp = datetime.now(UTC).isoformat()
    db.executescript(
        f"BEGIN IMMEDIATE;\n{script}\n"
        f"INSERT INTO migrations (name, at) VALUES ('{name}', '{stamp}');\nCOMMIT;"
    )


@contextmanager
def _migration_lock(path: Path) -> Iterator[None]:
    """Two processes that open a new workspace at once must not both create its tables."""
    with path.with_suffix(".migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def instant(text: str | None) -> datetime | None:
    """The instant a column holds. Columns keep ISO 8601 in UTC, which sorts as text."""
    return None if text is None else datetime.fromisoformat(text)


def stamp(at: datetime | None) -> str | None:
    """How a column keeps an instant: fixed width, so that text order is time order."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")
