"""Whether the pages and indexes of the workspace's file agree with each other, now and then.

A damaged page is met by whoever reads it; one that nobody reads today is found here. What is
found is kept beside the file, not in it. SQLite keeps no checksums: a value that changed on
the disk, is not indexed and still has its form (`value_forms`) is read as it stands.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.errors import UnavailableError
from services.local import damage, value_forms
from services.local.clock import Clock, utc_now

log = logging.getLogger(__name__)

EVERY_S = 3600.0  # 5 ms of CPU per megabyte
AGAIN_S = 60.0  # while it is damaged: somebody may have restored it


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the last look found."""

    at: datetime
    problem: str = ""  # a sentence with what to do; empty: it was sound
    since: datetime | None = None  # when the problem was seen first


def last(path: Path) -> Checked | None:
    """What the last look at the file at `path` found; None when nobody has looked yet."""
    try:
        kept = json.loads(_note(path).read_text("utf-8"))
        since = kept["since"]
        return Checked(
            at=datetime.fromisoformat(kept["at"]),
            problem=str(kept["problem"]),
            since=None if since is None else datetime.fromisoformat(since),
        )
    except (OSError, ValueError, KeyError, TypeError):  # no note, or not one of ours
        return None


def look(path: Path, *, now: datetime) -> Checked:
    """Look at the whole file; what is found is kept for `last`.

    Raises:
        UnavailableError: the file cannot be read, or the note cannot be written, at the moment.
    """
    before = last(path)
    address = f"{path.as_uri()}?mode=rw"  # “rw” makes no file where there is none
    with (
        damage.explained(path, "read"),
        closing(sqlite3.connect(address, uri=True, timeout=1.0)) as db,
    ):
        found = damage.found(db) or value_forms.lost(db)
    if not found:
        checked = Checked(at=now)
    elif before is not None and before.problem:  # told already; the copy was kept then
        checked = Checked(at=now, problem=before.problem, since=before.since)
    else:
        checked = Checked(at=now, problem=damage.told(path, found), since=now)
    _keep(path, checked)
    return checked


def watch(path: Path, stopping: threading.Event, *, clock: Clock = utc_now) -> None:
    """Look at once and every hour."""
    while not stopping.is_set():
        wait_s = AGAIN_S
        try:
            if not look(path, now=clock()).problem:
                wait_s = EVERY_S
        except UnavailableError as error:
            log.warning("the workspace's file was not looked at: %s", error)
        stopping.wait(wait_s)


def _keep(path: Path, checked: Checked) -> None:
    note = _note(path)
    unfinished = note.with_name(f"{note.name}.{os.getpid()}")
    kept = {
        "at": checked.at.isoformat(),
        "problem": checked.problem,
        "since": checked.since and checked.since.isoformat(),
    }
    try:
        unfinished.write_text(json.dumps(kept), encoding="utf-8")
        unfinished.replace(note)
    except OSError as error:
        raise UnavailableError(f"{note} could not be written: {error.strerror}.") from error


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.checked")
