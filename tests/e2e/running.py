"""The dashboard as an operator starts it, on a free port and a workspace of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_S, STOP_S = 90.0, 60.0


@dataclass(frozen=True)
class Running:
    """Where it answers, where its workspace is, and its process."""

    base: str
    home: Path
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        """Every process it started, at any depth."""
        return self.process.children(recursive=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dashboard(
    home: Path,
    log: Path,
    *,
    port: int | None = None,
    surroundings: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """``python -m dashboard`` from start to a clean end, which must leave nothing running.

    Args:
        surroundings: more of the environment it starts in.
    """
    base = f"http://127.0.0.1:{(port := port or free_port())}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DASHBOARD_")
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "--port", str(port)],
            cwd=ROOT,
            env={**environment, "DASHBOARD_HOME": str(home), **(surroundings or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(base, home, psutil.Process(child.pid))
    try:
        _await_health(base, child, log)
        yield running
    finally:
        family = running.family() if child.poll() is None else []
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        left = psutil.wait_procs(family, timeout=10)[1]
        for process in left:
            process.kill()
    assert left == [], f"still running after the dashboard ended: {left}"


def _await_health(base: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert child.poll() is None, f"the dashboard ended:\n{log.read_text('utf-8')}"
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"no answer within {START_S:.0f} s:\n{log.read_text('utf-8')}")
