"""A block of the telemetry is overwritten: it is said, nothing is changed, all else goes on."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from services.domain import ComponentState, Panel, TimeWindow
from services.errors import OperationFailedError, UnavailableError
from services.local import processes
from services.local.process_table import ProcessTable
from services.local.telemetry import LocalTelemetry, identity
from services.local.telemetry_duty import TelemetryDuty
from services.local.workspace import open_workspace
from tests.faults.mutants import overwritten
from tests.recorded import datasets, deployments, telemetry

ROW = (5, "A damaged block of the telemetry")
BLOCK, HEADERS = 262_144, 12_288  # of a DuckDB file
NOW = datetime.now(UTC)
WINDOW = TimeWindow(start=NOW - timedelta(days=1), end=NOW, bin=timedelta(minutes=5))
LIMIT_S = 60.0


@contextmanager
def served(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A telemetry server of `home`, once it answers or has ended."""
    store = open_workspace(home).store
    (program,) = TelemetryDuty(home, store).programs()
    program.log.unlink(missing_ok=True)
    child = processes.spawn(program.module, *program.args, log=program.log)
    deadline = time.monotonic() + LIMIT_S
    while child.poll() is None and "startup complete" not in processes.tail(program.log, 50)[0]:
        assert time.monotonic() < deadline, processes.tail(program.log, 50)[0]
        time.sleep(0.05)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()
        child.stdin.close()


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("traffic")
    workspace = open_workspace(home)
    datasets.people(workspace)
    telemetry.traffic(home, count=20_000, end=NOW)
    workspace.store.set_setting(identity.PORT, "9")  # a server has run before
    return home


@pytest.fixture
def content(traffic) -> Iterator[bytes]:
    """The undamaged file, put back afterwards."""
    path = traffic / "telemetry" / "telemetry.duckdb"
    content = path.read_bytes()
    yield content
    for left in path.parent.glob("telemetry.duckdb*"):
        left.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("what", ["header", "first block", "emptied"])
def test_a_telemetry_file_that_cannot_be_opened(traffic, content, figures, what):
    path = traffic / "telemetry" / "telemetry.duckdb"
    damaged = {
        "header": overwritten(content, 0, HEADERS),
        "first block": overwritten(content, HEADERS + 1000, 8000),
        "emptied": b"",
    }[what]
    path.write_bytes(damaged)

    with figures.timed("telemetry.duckdb", what) as said, served(traffic) as server:
        assert server.wait(LIMIT_S) == 1
        with pytest.raises(UnavailableError) as refused:
            LocalTelemetry(traffic, open_workspace(traffic).store).panel(Panel.LATENCY, WINDOW)
        said.append(str(refused.value).replace(str(traffic), "…"))

    assert str(path) in str(refused.value) and "move it away" in str(refused.value)
    assert path.read_bytes() == damaged
    assert [copy.read_bytes() for copy in path.parent.glob("*.damaged-*Z")] == [damaged]
    assert open_workspace(traffic).datasets.list()  # the other store goes on


def test_what_could_not_start_is_shown_with_its_reason_until_it_can(traffic, content):
    path = traffic / "telemetry" / "telemetry.duckdb"
    path.write_bytes(overwritten(content, 0, HEADERS))
    workspace = open_workspace(traffic)
    deployments.supervised(workspace.store)
    table = ProcessTable(workspace.store)
    (program,) = TelemetryDuty(traffic, workspace.store).programs()
    with served(traffic) as server:
        server.wait(LIMIT_S)
    table.starting(program, NOW)
    table.exited("telemetry", code=1, at=NOW)

    shown = workspace.components()[1]

    assert shown.state is ComponentState.FAILED
    assert str(path) in shown.detail

    path.unlink()  # moved away, as the sentence says
    with served(traffic):
        assert not workspace.store.setting(identity.PROBLEM)
        assert LocalTelemetry(traffic, workspace.store).query("requests | count").frame.size == 1


def test_every_block_of_the_telemetry_in_turn(traffic, content, figures):
    path = traffic / "telemetry" / "telemetry.duckdb"
    ended: Counter[str] = Counter()
    panels = list(Panel)[::3]
    with served(traffic):
        port = LocalTelemetry(traffic, open_workspace(traffic).store)
        good = {panel: port.panel(panel, WINDOW).frame for panel in panels}
    content = path.read_bytes()  # whoever opens it may write to it
    began = time.monotonic()
    blocks = range(1, (len(content) - HEADERS) // BLOCK)
    for damaged in (
        content[: len(content) // 2],
        *(overwritten(content, HEADERS + block * BLOCK + 1000, 8000) for block in blocks),
    ):
        path.write_bytes(damaged)
        with served(traffic) as server:
            port = LocalTelemetry(traffic, open_workspace(traffic).store)
            for panel in panels:
                try:
                    frame = port.panel(panel, WINDOW).frame
                except OperationFailedError as error:
                    assert str(path) in str(error) and "a copy was kept" in str(error)
                    ended["OperationFailedError"] += 1
                else:
                    pd.testing.assert_frame_equal(frame, good[panel])
                    ended["answered"] += 1
            assert server.poll() is None, "a question ended the server"
            if list(path.parent.glob("*.damaged-*Z")):
                ended["noticed"] += 1
        for left in path.parent.glob("telemetry.duckdb*"):
            left.unlink()

    assert ended["OperationFailedError"] and ended["answered"]
    figures.add(
        "telemetry.duckdb, cut in half, then each of its blocks",
        f"{len(blocks) + 1} files, {len(panels)} panels each",
        f"{ended['answered']} answered, each as from the undamaged file; "
        f"{ended['OperationFailedError']} with the sentence that names the file; "
        f"{ended['noticed']} noticed and copied; the server lived",
        time.monotonic() - began,
    )
