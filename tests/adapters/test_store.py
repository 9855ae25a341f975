"""The workspace's file: what is acknowledged stays, and damage is named, not repaired away."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from services.errors import OperationFailedError, UnavailableError
from services.local import audit
from services.local.processes import ROOT, tail
from services.local.store import Store, instant, stamp


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


def test_an_interrupted_transaction_leaves_nothing(store):
    class PowerCutError(Exception): ...

    with pytest.raises(PowerCutError), store.transaction() as db:
        db.execute("INSERT INTO settings (name, value) VALUES ('half', 'done')")
        raise PowerCutError

    assert store.setting("half") is None


def test_opening_again_keeps_what_is_there(store):
    store.set_setting("kept", "yes")

    assert Store(store.path).setting("kept") == "yes"


def test_many_processes_may_create_it_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from services.local.store import Store;"
        "print(Store(Path(sys.argv[1])).setting_or('id', sys.argv[2]))"
    )
    path = tmp_path / "workspace.db"

    def create(number: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(path), str(number)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(create, range(6)))

    assert len(answers) == 1


def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path):
    path = tmp_path / "workspace.db"
    path.write_bytes(b"this is no database, but somebody's only copy")

    with pytest.raises(OperationFailedError, match="left untouched"):
        Store(path)

    assert path.read_bytes() == b"this is no database, but somebody's only copy"


def test_a_newer_workspace_is_refused(store):
    with store.transaction() as db:
        db.execute("INSERT INTO migrations (name, at) VALUES ('9999_future', '')")

    with pytest.raises(OperationFailedError, match="9999_future"):
        Store(store.path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UnavailableError, match="file"):
        Store(tmp_path / "file" / "workspace.db")


def test_stamps_sort_as_the_instants_they_stand_for():
    start = datetime(2024, 3, 1, tzinfo=UTC)
    instants = [start, start + timedelta(microseconds=1), start + timedelta(seconds=1)]
    elsewhere = instants[2].astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert sorted(map(stamp, instants)) == [stamp(each) for each in instants]
    assert stamp(elsewhere) == stamp(instants[2])
    assert instant(stamp(elsewhere)) == instants[2]


def test_an_audit_event_is_part_of_the_change_it_tells_of(store):
    log = audit.LocalAuditLog(store)

    with pytest.raises(UnavailableError), store.transaction() as db:
        audit.record(db, action="thing.create", subject="thing/a", after={"size": 1})
        db.execute("INSERT INTO nowhere VALUES (1)")
    assert log.list() == ()

    with store.transaction() as db:
        audit.record(db, action="thing.create", subject="thing/a", after={"size": 1})
        audit.record(db, action="thing.delete", subject="thing/b", before={"size": 2})
    assert [event.action for event in log.list()] == ["thing.delete", "thing.create"]
    assert [dict(event.after) for event in log.list(subject="thing/a")] == [{"size": 1}]


@pytest.mark.parametrize("line_count", [1, 7, 5000])
def test_a_tail_equals_the_end_of_the_file(tmp_path, line_count):
    lines = [f"line {number} {'é' * (number % 50)}\n" for number in range(6000)]
    (tmp_path / "log").write_text("".join(lines), encoding="utf-8")

    assert tail(tmp_path / "log", line_count) == ("".join(lines[-line_count:]), False)
    assert tail(tmp_path / "log", 6000) == ("".join(lines), True)
    assert tail(tmp_path / "absent", 5) == ("", True)
