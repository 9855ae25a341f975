"""A page of a store is overwritten: it is said, nothing is changed, the other store goes on."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.domain import ComponentState, Panel, TimeWindow
from services.errors import OperationFailedError, ServiceError, UnavailableError
from services.local import processes
from services.local.process_table import ProcessTable
from services.local.telemetry import LocalTelemetry, identity
from services.local.telemetry_duty import TelemetryDuty
from services.local.workspace import LocalWorkspace, open_workspace
from tests.recorded import datasets, deployments, pipelines, runs, telemetry

ROW = (5, "A damaged page of a store")
PAGE = 4096
BLOCK, HEADERS = 262_144, 12_288  # of a DuckDB file
NOW = datetime.now(UTC)
WINDOW = TimeWindow(start=NOW - timedelta(days=1), end=NOW, bin=timedelta(minutes=5))
LIMIT_S = 60.0
CHANCE = random.Random(5)


def overwritten(content: bytes, start: int, length: int) -> bytes:
    return content[:start] + CHANCE.randbytes(length) + content[start + length :]


# --- workspace.db -----------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with something of everything, closed: all of it is in the file itself."""
    home = tmp_path_factory.mktemp("recorded") / "workspace"
    workspace = open_workspace(home)
    datasets.people(workspace)
    runs.automl(home, workspace.store)
    deployments.deployment(home, workspace.store)
    pipelines.published(home, workspace.store)
    with workspace.store._connection() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in ("workspace.db-wal", "workspace.db-shm"):
        (home / beside).unlink(missing_ok=True)
    return home


def asked(home: Path) -> Counter[str]:
    """Everything a first look at the pages asks for; how each question ended."""
    ended: Counter[str] = Counter()
    questions: tuple[Callable[[LocalWorkspace], object], ...] = (
        lambda workspace: workspace.datasets.list(),
        lambda workspace: workspace.runs.list("bank-marketing"),
        lambda workspace: workspace.models.list(),
        lambda workspace: workspace.deployments.list(),
        lambda workspace: workspace.deployments.transitions(),
        lambda workspace: workspace.pipelines.list(),
        lambda workspace: workspace.schedules.list(),
        lambda workspace: workspace.load_tests.list(),
        lambda workspace: workspace.alerts.incidents(),
        lambda workspace: workspace.audit.list(),
        lambda workspace: workspace.components(),
    )
    for question in questions:
        try:
            question(open_workspace(home))
        except ServiceError as error:
            assert str(home / "workspace.db") in str(error)
            assert "DASHBOARD_HOME" in str(error)
            ended[type(error).__name__] += 1
        else:
            ended["answered"] += 1
    return ended


def test_every_page_of_the_workspace_in_turn(recorded, tmp_path, figures):
    content = (recorded / "workspace.db").read_bytes()
    ended: Counter[str] = Counter()
    noticed = 0
    began = time.monotonic()
    for page in range(0, len(content) // PAGE):
        home = tmp_path / str(page)
        home.mkdir()
        damaged = overwritten(content, page * PAGE, PAGE)
        (home / "workspace.db").write_bytes(damaged)

        found = asked(home)

        ended += found
        assert (home / "workspace.db").read_bytes() == damaged
        copies = list(home.glob("workspace.db.damaged-*Z"))
        if found["OperationFailedError"]:
            noticed += 1
            assert [copy.read_bytes() for copy in copies] == [damaged]
        shutil.rmtree(home)

    assert ended["OperationFailedError"] > 100
    assert set(ended) == {"OperationFailedError", "answered"}
    figures.add(
        "workspace.db, each of its pages",
        f"{len(content) // PAGE} pages of random bytes, 11 questions each",
        f"{ended['answered']} answered, {ended['OperationFailedError']} with the sentence that "
        f"names the file; {noticed} damaged files noticed, each copied, none changed",
        time.monotonic() - began,
    )


@pytest.mark.parametrize("what", ["header", "truncated", "emptied"])
def test_a_workspace_without_its_beginning_or_end(recorded, tmp_path, figures, what):
    home = tmp_path / "workspace"
    shutil.copytree(recorded, home)
    content = (home / "workspace.db").read_bytes()
    damaged = {
        "header": overwritten(content, 0, 100),
        "truncated": content[: len(content) // 2],
        "emptied": b"",
    }[what]
    (home / "workspace.db").write_bytes(damaged)

    with figures.timed("workspace.db", what) as said:
        with pytest.raises(OperationFailedError) as refused:
            workspace = open_workspace(home)
            with workspace.store.transaction() as db:  # a page that is gone is met by writing
                db.execute("DELETE FROM audit")
                db.execute("DELETE FROM runs")
        said.append(str(refused.value).replace(str(home), "…"))

    assert str(home / "workspace.db") in str(refused.value)
    assert (home / "workspace.db").read_bytes() == damaged
    shutil.copy(recorded / "workspace.db", home / "workspace.db")
    assert open_workspace(home).datasets.list()[0].name == "bank"


def test_a_page_says_it_and_works_again_with_the_file_restored(
    local_workspace, home, open_page, figures
):
    datasets.people(local_workspace)
    path = home / "workspace.db"
    good = path.read_bytes()
    path.write_bytes(overwritten(good, PAGE, len(good) - PAGE))

    for name in ("overview", "dataset", "models", "settings"):
        page = open_page(name)
        assert not page.exception, name
        said = [each.value for each in page.error]
        assert any("workspace.db is damaged" in each for each in said), name

    path.write_bytes(good)
    page = open_page("dataset")
    assert not page.exception and not page.error
    figures.add(
        "Overview, Dataset, Models, Settings",
        "all but the first page of the open workspace.db overwritten",
        f"“{said[0].replace(str(home), '…')}” Restored: the pages work without a restart",
    )


# --- telemetry.duckdb -------------------------------------------------------------


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
                    port.panel(panel, WINDOW)
                except OperationFailedError as error:
                    assert str(path) in str(error) and "a copy was kept" in str(error)
                    ended["OperationFailedError"] += 1
                else:
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
        f"{ended['answered']} answered, {ended['OperationFailedError']} with the sentence that "
        f"names the file; {ended['noticed']} noticed and copied; the server lived",
        time.monotonic() - began,
    )
