"""What re-running and switching to each page costs, against an empty Streamlit page.

Costs are CPU milliseconds of the server's process: on a machine that is also busy with
something else they stay comparable, which wall times do not.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from dashboard.navigation import REGISTRY
from tests.bench.measures import Measure, alternating
from tests.bench.streamlit_client import Session
from tests.e2e.running import ROOT, dashboard, free_port

ROUNDS, RUNS = 5, 6
LIMIT_MS = 100.0
GOAL = f"a re-run under {LIMIT_MS:.0f} ms of CPU"


def measure() -> Iterator[Measure]:
    """Every page on a workspace with something at every step."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workspace"
        subprocess.run([sys.executable, "-m", "tests.recorded", home], cwd=ROOT, check=True)
        with (
            dashboard(home, Path(folder) / "dashboard.log") as running,
            _empty(Path(folder) / "empty.log") as (base, empty),
            Session(running.base) as ours,
            Session(base) as theirs,
        ):
            _calm(running.process)
            for page in REGISTRY:
                name = "" if page is REGISTRY[0] else page.file
                yield from _page(page.title, name, (ours, running.process), (theirs, empty))


def _page(
    title: str,
    name: str,
    ours: tuple[Session, psutil.Process],
    theirs: tuple[Session, psutil.Process],
) -> Iterator[Measure]:
    session, process = ours
    session.run(name), theirs[0].run()  # warm
    again = alternating(
        lambda: _cost_ms(process, lambda: session.run(name)),
        lambda: _cost_ms(theirs[1], lambda: theirs[0].run()),
        rounds=ROUNDS,
    )
    yield Measure(f"{title}: re-run", *again, "ms CPU", GOAL, again[0] < LIMIT_MS)
    other = "settings" if name != "settings" else ""

    def switch() -> None:
        session.run(other)
        session.run(name)

    there_and_back = alternating(
        lambda: _cost_ms(process, switch),
        lambda: _cost_ms(theirs[1], lambda: theirs[0].run()),
        rounds=ROUNDS,
    )
    yield Measure(f"{title}: with a switch to and fro", *there_and_back, "ms CPU")


def _cost_ms(process: psutil.Process, work: object) -> float:
    """CPU milliseconds of one run, averaged over a few because the clock ticks in tens."""
    before = _cpu_s(process)
    for _ in range(RUNS):
        work()  # type: ignore[operator]
    return (_cpu_s(process) - before) * 1000 / RUNS


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _calm(process: psutil.Process, *, limit_s: float = 60.0) -> None:
    """Wait until what is done once at the start is done."""
    deadline = time.monotonic() + limit_s
    while process.cpu_percent(interval=1.0) > 10 and time.monotonic() < deadline:
        pass


@contextlib.contextmanager
def _empty(log: Path) -> Iterator[tuple[str, psutil.Process]]:
    base = f"http://127.0.0.1:{(port := free_port())}"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.empty_server", str(port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.1)
        yield base, psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait()
