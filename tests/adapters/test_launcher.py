"""One command starts everything, and however it ends, nothing is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.running import ROOT, Running, dashboard, free_port

LIMIT_S = 60.0


def until(condition: Callable[[], object]) -> object:
    deadline = time.monotonic() + LIMIT_S
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {LIMIT_S:.0f} s"
        time.sleep(0.05)
    return answer


def supervisors(running: Running) -> list[psutil.Process]:
    return [child for child in running.process.children() if _supervises(child)]


def _supervises(process: psutil.Process) -> bool:
    try:
        return "services.local.supervisor" in process.cmdline()
    except psutil.NoSuchProcess:  # it ended while we looked; a zombie counts
        return False


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("launcher")
    with dashboard(folder / "workspace", folder / "dashboard.log") as running:
        yield running


def test_the_workspace_is_supervised_and_a_killed_supervisor_is_replaced(started):
    first = until(lambda: supervisors(started))[0]

    first.kill()

    second = until(lambda: [each for each in supervisors(started) if each.pid != first.pid])[0]
    assert second.is_running()


def test_a_second_dashboard_leaves_the_supervising_to_the_first(started, tmp_path):
    until(lambda: (started.home / "logs" / "supervisor.log").exists())
    until(lambda: supervisors(started))

    with dashboard(started.home, tmp_path / "second.log") as second:
        until(lambda: "another supervisor runs" in _supervisor_log(started))
        assert until(lambda: supervisors(second) == [])


def _supervisor_log(running: Running) -> str:
    return (running.home / "logs" / "supervisor.log").read_text("utf-8")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda each: each.name)
def test_however_it_ends_nothing_is_left(tmp_path, number):
    with dashboard(tmp_path / "workspace", tmp_path / "dashboard.log") as running:
        supervisor = until(lambda: supervisors(running))[0]
        until(supervisor.children)  # it has begun to start what should run
        family = running.family()

        running.process.send_signal(number)

        assert psutil.wait_procs([*family, running.process], timeout=LIMIT_S)[1] == []


def test_a_taken_port_is_said_and_nothing_stays(started, tmp_path):
    port = started.base.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, "-m", "dashboard", "--port", port],
        cwd=ROOT,
        env={"DASHBOARD_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert ended.returncode == 1
    assert f"Port {port} is not available" in ended.stderr + ended.stdout


def test_an_unknown_back_end_is_said_before_anything_starts(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "dashboard", "--port", str(free_port())],
        cwd=ROOT,
        env={"DASHBOARD_HOME": str(tmp_path), "DASHBOARD_BACKEND": "gcp", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )

    assert ended.returncode == 2
    assert "“gcp”" in ended.stderr
    assert list(tmp_path.iterdir()) == []
