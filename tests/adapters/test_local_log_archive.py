"""The archive of deployments' logs, kept in a workspace's store."""

from datetime import UTC, datetime, timedelta

import pytest

from services import log_archive
from services.domain import LogTail
from services.local import deployment_rows
from services.local.log_archives import LocalLogArchives
from services.local.log_collector import LogCollector
from services.local.workspace import open_workspace
from tests.recorded import deployments

START = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path):
    return open_workspace(tmp_path / "home")


@pytest.fixture
def archive(workspace):
    moments = (START + timedelta(minutes=number) for number in range(1000))
    return LocalLogArchives(workspace.store, clock=lambda: next(moments))


def tail(first, end, *, word="GET /"):
    text = "".join(f"at 00:00:00 {word} {number}\n" for number in range(first, end))
    return LogTail(text=text, line_count=end - first, limit=5000, complete=False)


def texts(found):
    return ["GAP" if line.gap else line.text.split()[-1] for line in found.lines]


def test_two_overlapping_tails_join_with_no_repeats(archive):
    assert archive.keep("bank", tail(0, 5)) == 5
    assert archive.keep("bank", tail(3, 8)) == 3
    assert archive.keep("bank", tail(3, 8)) == 0

    found = archive.search("bank")

    assert texts(found) == [str(number) for number in range(8)]
    assert (found.line_count, found.gap_count, found.since) == (8, 0, START)


def test_a_missing_stretch_is_a_gap_and_the_history_goes_on_after_it(archive):
    for first, end in ((0, 3), (10, 12), (11, 14)):
        archive.keep("bank", tail(first, end))

    found = archive.search("bank")

    assert texts(found) == ["0", "1", "2", "GAP", "10", "11", "12", "13"]
    assert (found.line_count, found.gap_count) == (7, 1)


def test_searching_finds_text_as_it_stands_with_the_gaps_between(archive):
    archive.keep("bank", tail(0, 3))
    archive.keep("bank", tail(20, 22, word="100% BOOM_"))
    archive.keep("other", tail(0, 3, word="boom"))

    assert texts(archive.search("bank", "1")) == ["1", "GAP", "20", "21"]
    assert archive.search("bank", "0% boom_").found_count == 2
    assert archive.search("bank", "%").found_count == 2
    assert archive.search("bank", "get").found_count == 3
    assert archive.search("nobody").since is None


def test_the_oldest_lines_are_forgotten(archive, monkeypatch):
    monkeypatch.setattr(log_archive, "KEPT_LINES", 6)
    archive.keep("bank", tail(0, 5))
    archive.keep("bank", tail(4, 10))

    assert texts(archive.search("bank")) == ["4", "5", "6", "7", "8", "9"]


def test_the_collector_reads_every_deployments_log(workspace):
    deployments.deployment(workspace.home, workspace.store, "bank", log="10:00:00 one\nhalf")
    collector = LogCollector(workspace)

    assert collector.collect() == 1
    with deployment_rows.log_file(workspace.home, "bank").open("a") as file:
        file.write(" a line\n10:00:02 three\n")
    assert collector.collect() == 2
    assert collector.collect() == 0

    lines = workspace.log_archive.search("bank").lines
    assert [line.text for line in lines] == ["10:00:00 one", "half a line", "10:00:02 three"]
