"""Values that can no longer be read: what a look at the pages of the file cannot see.

SQLite keeps no checksums. Of a value that changed on the disk it is at least noticed when an
instant is none any more, JSON cannot be parsed, or a row belongs to one that is not there.
The schema's own text says which columns hold what: ``…_at`` an instant, ``-- JSON`` JSON.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime

_JSON = re.compile(r"^\s*(\w+) TEXT\b.*(?:-- JSON|DEFAULT '\{\}'|DEFAULT '\[\]')", re.MULTILINE)
_INSTANT = re.compile(r"^\s*(\w+_at) TEXT\b", re.MULTILINE)


def lost(db: sqlite3.Connection) -> str:
    """The first such value, for people; empty where there is none.

    Raises:
        sqlite3.DatabaseError: the file cannot be read at the moment.
    """
    for table, _, other, _ in db.execute("PRAGMA foreign_key_check"):
        return f"a row of {table} belongs to one of {other} that is not there"
    for table, sql in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        if any(_unreadable(db, *each) for each in _suspects(table, sql)):
            return f"a value in {table} cannot be read any more"
    return ""


def _suspects(table: str, sql: str) -> Iterator[tuple[str, str, Callable[[bytes], object]]]:
    """A column, what SQLite takes to be malformed in it, and the reader who decides."""
    for column in _INSTANT.findall(sql):
        yield f'"{column}"', f'"{table}" WHERE julianday("{column}") IS NULL', _instant
    for column in _JSON.findall(sql):
        yield f'"{column}"', f'"{table}" WHERE NOT json_valid("{column}")', json.loads


def _unreadable(
    db: sqlite3.Connection, column: str, suspects: str, read: Callable[[bytes], object]
) -> bool:
    query = f"SELECT CAST({column} AS BLOB) FROM {suspects} AND {column} IS NOT NULL"
    for (value,) in db.execute(query):
        try:
            read(value)
        except ValueError:
            return True
    return False


def _instant(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())
