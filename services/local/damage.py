"""What SQLite says of a damaged file or a full disk, as a sentence, and a copy of what is damaged.

A damaged file is never repaired, replaced or emptied here. What is still readable in it is
the operator's to rescue, so a copy is taken before anybody writes to it again.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.errors import OperationFailedError, UnavailableError

log = logging.getLogger(__name__)

COPIES_KEPT = 3
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_TEXT = "a name in it is no text"
_DATA = ("datasets", "runs", "models")  # folders whose contents the file knows about


@contextmanager
def explained(path: Path, done: str) -> Iterator[None]:
    """Within this block a file that cannot be `done` to ("read", "changed") is told of in words.

    Raises:
        OperationFailedError: it is damaged; a copy was kept.
        UnavailableError: it is locked, the disk is full, or it cannot be opened.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _damaging(error):
            raise OperationFailedError(told(path, error)) from error
        if _code(error) == sqlite3.SQLITE_FULL:
            raise UnavailableError(
                f"The disk that holds the workspace folder {path.parent} is full, so nothing "
                "was changed. Free some space there."
            ) from error
        if isinstance(error, sqlite3.OperationalError):
            raise UnavailableError(f"The workspace could not be {done}: {error}.") from error
        raise
    except UnicodeDecodeError as error:  # of a name in the file, in SQLite's own message
        raise OperationFailedError(told(path, _NO_TEXT)) from error


def check_not_emptied(path: Path) -> None:
    """A workspace whose file has lost its content is not a new workspace.

    Raises:
        OperationFailedError: the file is empty, while the folders beside it are not.
    """
    if not path.is_file() or path.stat().st_size:
        return
    beside = [name for name in _DATA if any((path.parent / name).glob("[!.]*"))]
    if beside:
        raise OperationFailedError(
            f"The workspace file {path} is empty, although {path.parent / beside[0]} holds data "
            "it should know about. It was left untouched; restore it from a copy, or set "
            "DASHBOARD_HOME to another folder."
        )


def check_sound(db: sqlite3.Connection, path: Path) -> None:
    """Look at every page: before tables are changed, nothing may be wrong with what is there.

    Raises:
        OperationFailedError: the file is damaged; a copy was kept.
    """
    if problem := found(db):
        raise OperationFailedError(told(path, problem))


def found(db: sqlite3.Connection) -> str:
    """What is wrong between the pages and indexes of a file; empty where they agree.

    Raises:
        sqlite3.DatabaseError: it cannot be read at the moment.
    """
    try:
        (answer,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if _damaging(error):
            return str(error)
        raise
    except UnicodeDecodeError:  # the name of what is wrong is itself damaged
        return _NO_TEXT
    return "" if answer == "ok" else str(answer).splitlines()[-1]  # after which database it is


def _damaging(error: sqlite3.DatabaseError) -> bool:
    return _code(error) in _DAMAGED or "Could not decode" in str(error)  # text that is none


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more closely what


def told(path: Path, error: sqlite3.DatabaseError | str) -> str:
    """The damage and what to do, as sentences, once a copy was kept."""
    copy = kept_copy(path, pending=f"{path.name}-wal")
    kept = f"a copy was kept as {copy.name}" if copy else "it was left as it is"
    return (
        f"The workspace file {path} is damaged ({error}) and was left untouched; {kept}. "
        "Stop the dashboard, then restore the file from a backup or rescue what is readable "
        f"with “sqlite3 {path.name} .recover”, or set DASHBOARD_HOME to another folder."
    )


def kept_copy(path: Path, *, pending: str) -> Path | None:
    """A copy of the file as it is, beside it; None where there is no room for one.

    Every process that meets the damage asks: one copy of each state is enough.

    Args:
        pending: the name of the file beside it that holds what was not merged into it yet.
    """
    try:
        state = path.stat()
        copies = sorted(path.parent.glob(f"{path.name}.damaged-*Z"))
        for copy in copies:
            found = copy.stat()
            if (found.st_size, found.st_mtime_ns) == (state.st_size, state.st_mtime_ns):
                return copy
        if len(copies) >= COPIES_KEPT:
            return copies[0]
        if shutil.disk_usage(path.parent).free < 2 * state.st_size:
            log.error("%s is damaged; there is no room for a copy", path)
            return None
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        copy = path.with_name(f"{path.name}.damaged-{stamp}")
        if (beside := path.with_name(pending)).exists():
            shutil.copy2(beside, copy.with_name(pending.replace(path.name, copy.name)))
        unfinished = copy.with_name(f"{copy.name}.part")
        shutil.copy2(path, unfinished)
        unfinished.rename(copy)
    except OSError:
        log.exception("no copy of the damaged file %s could be kept", path)
        return None
    log.error("%s is damaged; a copy was kept as %s", path, copy)
    return copy
