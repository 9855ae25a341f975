"""Files that must survive a power cut, and why they could not be written."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

INCOMING = ".incoming"  # how the name begins of what is not in its place yet
_ABANDONED_S = 24 * 3600


def flush(path: Path) -> None:
    """Make sure a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, pattern: str = "*") -> None:
    """Remove the folders in `folder` that a crash left behind long ago."""
    for left in folder.glob(pattern):
        with suppress(OSError):
            if abs(time.time() - left.stat().st_mtime) > _ABANDONED_S:
                shutil.rmtree(left)


def disk_full(error: BaseException | None) -> bool:
    """Whether that is what is behind an error, however often it was told on."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def reason(error: OSError) -> str:
    """Why a file could not be written, for the end of a sentence."""
    if "No space left" in str(error) or "Disk quota" in str(error):
        return "the disk is full; free some space there"
    if isinstance(error, shutil.Error):  # a list of what went wrong with each file
        return str(error.args[0][0][2]) if error.args and error.args[0] else "copying failed"
    return str(error.strerror or error)
