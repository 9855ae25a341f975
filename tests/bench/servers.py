"""The servers that are compared, each in a process of its own, and what they cost."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.e2e.running import ROOT, free_port

START_S = 90.0


@dataclass(frozen=True, slots=True)
class Server:
    base: str
    process: psutil.Process

    def cpu_ms(self) -> float:
        """CPU it has used so far, all threads."""
        return cpu_ms(self.process)

    def calm(self, *, limit_s: float = 60.0) -> None:
        """Wait until what is done once at the start is done."""
        deadline = time.monotonic() + limit_s
        while self.process.cpu_percent(interval=1.0) > 10 and time.monotonic() < deadline:
            pass


def cpu_ms(process: psutil.Process) -> float:
    """CPU a process has used so far, to the nanosecond: psutil counts in tens of milliseconds.

    Source: Linux, ``MAKE_PROCESS_CPUCLOCK`` of a pid with CPUCLOCK_SCHED.
    """
    return time.clock_gettime_ns((~process.pid << 3) | 2) / 1e6


@contextlib.contextmanager
def ours(home: Path) -> Iterator[Server]:
    """The dashboard on a workspace that nobody supervises."""
    with _started("our_server", _at(home), home.parent, ["tests.bench.our_server"]) as server:
        yield server


def _at(home: Path) -> dict[str, str]:
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("DASHBOARD_")}
    return {**surroundings, "DASHBOARD_HOME": str(home)}


@contextlib.contextmanager
def plain(home: Path) -> Iterator[Server]:
    """The same pages as Streamlit serves them by itself."""
    command = ["streamlit", "run", "dashboard/app.py", "--server.port"]
    with _started("plain", _at(home), home.parent, command) as server:
        yield server


@contextlib.contextmanager
def empty(folder: Path) -> Iterator[Server]:
    """A page with a title, on the same server and settings as ours."""
    command = ["tests.bench.empty_server"]
    with _started("empty_server", dict(os.environ), folder, command) as server:
        yield server


@contextlib.contextmanager
def _started(
    name: str, environment: dict[str, str], folder: Path, command: Sequence[str]
) -> Iterator[Server]:
    """``python -m`` with a command that a port completes, until it is no longer needed."""
    base = f"http://127.0.0.1:{(port := free_port())}"
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *command, str(port)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_S
        while not _healthy(base):
            assert child.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, f"no answer within {START_S:.0f} s"
            time.sleep(0.1)
        yield Server(base, psutil.Process(child.pid))
    finally:
        child.terminate()
        child.wait()


def _healthy(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
