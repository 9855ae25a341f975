"""Connections kept between reads: lent to one at a time, and never on a file that is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from services.local.readers import KEPT, Readers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    _write(path, "first")
    return path


def _write(path: Path, name: str) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE names (name TEXT)")
    db.execute("INSERT INTO names VALUES (?)", (name,))
    db.commit()
    db.close()


def _readers(path: Path) -> tuple[Readers, list[sqlite3.Connection]]:
    opened: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        opened.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        return opened[-1]

    return Readers(path, connect), opened


def _name(readers: Readers) -> str:
    with readers.lent() as db:
        return str(db.execute("SELECT name FROM names").fetchone()[0])


def test_a_second_read_opens_no_second_connection(file):
    readers, opened = _readers(file)

    assert [_name(readers), _name(readers)] == ["first", "first"]
    assert len(opened) == 1


def test_two_readers_at_once_have_one_each(file):
    readers, opened = _readers(file)

    with readers.lent() as one, readers.lent() as other:
        assert one is not other
    assert len(opened) == 2


def test_a_read_sees_what_was_committed_since_the_last(file):
    readers, _ = _readers(file)
    with readers.lent() as db:
        db.execute("BEGIN")  # left open, as a reading block leaves it
        db.execute("SELECT * FROM names").fetchall()
    other = sqlite3.connect(file)
    other.execute("UPDATE names SET name = 'second'")
    other.commit()
    other.close()

    assert _name(readers) == "second"


def test_a_file_that_was_replaced_is_opened_anew(file, tmp_path):
    readers, _ = _readers(file)
    assert _name(readers) == "first"
    _write(tmp_path / "b.db", "restored")
    (tmp_path / "b.db").replace(file)

    assert _name(readers) == "restored"


def test_a_file_that_was_damaged_in_place_is_met_at_the_next_read(file):
    readers, _ = _readers(file)
    assert _name(readers) == "first"
    file.write_bytes(b"\0" * file.stat().st_size)

    with pytest.raises(sqlite3.DatabaseError):
        _name(readers)


def test_a_connection_that_failed_is_not_lent_again(file):
    readers, opened = _readers(file)
    with pytest.raises(RuntimeError), readers.lent():
        raise RuntimeError

    assert _name(readers) == "first"
    assert len(opened) == 2


def test_a_crowd_leaves_only_some_open(file):
    readers, opened = _readers(file)
    lent = [readers.lent() for _ in range(KEPT + 3)]
    for each in lent:
        each.__enter__()
    for each in lent:
        each.__exit__(None, None, None)

    still = 0
    for db in opened:
        try:
            db.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            continue
        still += 1
    assert still == KEPT
