"""The supervisor keeps real processes running, and none outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.errors import UnavailableError
from services.local import processes
from services.local.clock import utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.process_table import ProcessTable
from services.local.store import Store
from services.local.supervisor import ALREADY_RUNNING, Supervisor, hold_workspace

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
SERVER = """
import http.server, pathlib, sys
from services.local import lifeline
lifeline.follow()
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
pathlib.Path(sys.argv[1]).write_text(str(server.server_port))
server.serve_forever()
"""


class ScriptedDuty(Duty):
    """Wants what the test says, and remembers how programs ended."""

    def __init__(self) -> None:
        self.wanted: list[Program] = []
        self.exits: list[Exit] = []

    def programs(self) -> list[Program]:
        return self.wanted

    def exited(self, exit: Exit) -> None:
        self.exits.append(exit)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Program]:
    """A program made of source text."""

    def script(source: str, *args: str, **options: object) -> Program:
        (tmp_path / "scripted.py").write_text(source)
        defaults = {
            "key": "test/one",
            "server": True,
            "log": tmp_path / "log.txt",
            "grace_s": 0.3,
        }
        return Program(
            module="scripted",
            args=args,
            env={"PYTHONPATH": str(tmp_path)},
            **(defaults | options),
        )

    return script


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def duty() -> ScriptedDuty:
    return ScriptedDuty()


@pytest.fixture
def supervisor(store: Store, duty: ScriptedDuty) -> Iterator[Supervisor]:
    supervisor = Supervisor([duty], ProcessTable(store))
    yield supervisor
    duty.wanted = []
    supervisor.shut_down()


def until(supervisor: Supervisor, condition: Callable[[], object], *, limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        supervisor.step()
        time.sleep(0.02)


def test_a_server_that_is_killed_is_started_again(supervisor, duty, script, store):
    duty.wanted = [script("import time; time.sleep(600)")]
    table = ProcessTable(store)
    until(supervisor, lambda: (seen := table.observed("test/one")) and seen.running)
    first = table.observed("test/one").ref

    os.kill(first.pid, signal.SIGKILL)
    until(supervisor, lambda: (seen := table.observed("test/one")).running and seen.ref != first)

    assert duty.exits[0].cause is ExitCause.ITSELF
    assert duty.exits[0].code == -signal.SIGKILL
    assert table.observed("test/one").restart_count == 1


def test_a_worker_runs_once_per_generation(supervisor, duty, script, tmp_path):
    source = "import sys; open(sys.argv[1], 'a').write('x')"
    ran = tmp_path / "ran"
    duty.wanted = [script(source, str(ran), server=False)]
    until(supervisor, lambda: duty.exits)
    for _ in range(5):
        supervisor.step()
    assert ran.read_text() == "x"

    duty.wanted = [script(source, str(ran), server=False, generation="2")]
    until(supervisor, lambda: len(duty.exits) == 2)

    assert ran.read_text() == "xx"


def test_what_is_no_longer_wanted_is_stopped_even_if_it_ignores_sigterm(
    supervisor, duty, script, tmp_path
):
    duty.wanted = [script(STUBBORN)]
    until(supervisor, lambda: "up" in processes.tail(tmp_path / "log.txt", 5)[0])

    duty.wanted = []
    until(supervisor, lambda: duty.exits)

    assert duty.exits[0].cause is ExitCause.UNWANTED
    assert duty.exits[0].code == -signal.SIGKILL


def test_a_crash_loop_is_recognised_and_backs_off(supervisor, duty, script):
    duty.wanted = [script("raise SystemExit('no model here')")]

    until(supervisor, lambda: duty.exits and duty.exits[-1].crash_loop)

    assert len(duty.exits) == 4
    assert "no model here" in duty.exits[-1].log_tail


def test_a_server_is_seen_answering(supervisor, duty, script, store, tmp_path):
    port = tmp_path / "port"
    duty.wanted = [script(SERVER, str(port))]
    until(supervisor, lambda: port.exists() and port.read_text())

    duty.wanted = [script(SERVER, str(port), health_url=f"http://127.0.0.1:{port.read_text()}/")]

    until(supervisor, lambda: ProcessTable(store).observed("test/one").answering)


def test_a_server_without_an_address_is_not_waited_for(supervisor, duty, script):
    """Or the supervisor would look at everything four times a second for good."""
    duty.wanted = [script(STUBBORN)]

    supervisor.step()

    assert not supervisor._under_way()


def test_a_duty_that_fails_does_not_take_the_others_down(store, duty, script):
    class Broken(ScriptedDuty):
        def programs(self) -> list[Program]:
            raise RuntimeError("a bug")

    supervisor = Supervisor([Broken(), duty], ProcessTable(store))
    duty.wanted = [script("print('done')", server=False)]

    until(supervisor, lambda: duty.exits)

    assert duty.exits[0].code == 0
    supervisor.shut_down()


def test_what_an_earlier_supervisor_left_is_stopped_and_reported_lost(store, duty, script):
    first = Supervisor([duty], ProcessTable(store))
    duty.wanted = [script("import time; time.sleep(600)", server=False)]
    table = ProcessTable(store)
    until(first, lambda: (seen := table.observed("test/one")) and seen.running)
    orphan = table.observed("test/one").ref

    second = Supervisor([duty], ProcessTable(store))
    second.recover()
    second.step()

    assert not processes.alive(orphan)
    assert duty.exits[-1].cause is ExitCause.LOST
    assert not table.observed("test/one").running  # a worker is not begun twice
    first.shut_down()


def test_one_supervisor_per_workspace(tmp_path):
    lock = hold_workspace(tmp_path)
    try:
        other = subprocess.run(
            [sys.executable, "-m", "services.local.supervisor", str(tmp_path)],
            cwd=processes.ROOT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert other.returncode == ALREADY_RUNNING
    finally:
        os.close(lock)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_its_children_end_with_it(tmp_path, end):
    supervisor = processes.spawn("services.local.supervisor", str(tmp_path), log=tmp_path / "log")
    table: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while not table and time.monotonic() < deadline:
        time.sleep(0.1)
        table = psutil.Process(supervisor.pid).children(recursive=True)
    assert table, processes.tail(tmp_path / "log", 40)[0]
    family = [processes.reference(child.pid) for child in table]

    os.kill(supervisor.pid, end)
    supervisor.wait()

    deadline = time.monotonic() + 30
    while any(processes.alive(ref) for ref in family if ref) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(processes.alive(ref) for ref in family if ref)


def test_a_process_that_ignores_sigterm_is_killed(script, tmp_path):
    program = script(STUBBORN)
    child = processes.spawn(program.module, *program.args, log=program.log, env=program.env)
    ref = processes.reference(child.pid)

    processes.stop(ref, grace_s=0.1)

    assert not processes.alive(ref)
    child.wait()


def test_a_stranger_with_a_recycled_pid_is_left_alone(script):
    program = script("import time; time.sleep(600)")
    child = processes.spawn(program.module, *program.args, log=program.log, env=program.env)
    ours = processes.reference(child.pid)
    stale = processes.ProcessRef(pid=ours.pid, started_at=ours.started_at - 60)

    processes.stop(stale)

    assert not processes.alive(stale)
    assert processes.alive(ours)
    processes.stop(ours, grace_s=0.1)
    child.wait()


def test_a_worker_nobody_was_told_of_is_told_of_once(supervisor, duty, script, store):
    """The supervisor before was killed between seeing it end and telling anybody."""
    program = script("print('done')", server=False)
    table = ProcessTable(store)
    table.starting(program, utc_now())
    table.exited(program.key, code=-9, at=utc_now())

    duty.wanted = [program]
    for _ in range(3):
        supervisor.step()

    assert [(each.cause, each.code) for each in duty.exits] == [(ExitCause.ITSELF, -9)]


def test_an_end_that_could_not_be_written_down_is_told_again(store, script):
    class Forgetful(ScriptedDuty):
        def exited(self, exit: Exit) -> None:
            super().exited(exit)
            if len(self.exits) < 3:
                raise UnavailableError("The disk is full.")

    duty = Forgetful()
    supervisor = Supervisor([duty], ProcessTable(store))
    duty.wanted = [script("print('done')", server=False)]

    until(supervisor, lambda: len(duty.exits) == 3)
    for _ in range(3):
        supervisor.step()

    assert len(duty.exits) == 3
    supervisor.shut_down()


def test_a_program_that_cannot_be_started_keeps_no_other_from_it(
    supervisor, duty, script, store, monkeypatch
):
    spawn = processes.spawn

    def no_room(module: str, *args: str, **options: object) -> object:
        if args == ("never",):
            raise OSError(28, "No space left on device")
        return spawn(module, *args, **options)

    monkeypatch.setattr(processes, "spawn", no_room)
    duty.wanted = [
        script("pass", "never", key="test/never"),
        script("import time; time.sleep(600)", key="test/one"),
    ]

    until(supervisor, lambda: (seen := ProcessTable(store).observed("test/one")) and seen.running)

    assert ProcessTable(store).observed("test/never").exited_at is not None
