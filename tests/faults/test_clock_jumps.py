"""The clock is set an hour forward or back: nothing fires twice, nothing is lost or mistaken."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from services.domain import (
    ComponentState,
    DeploymentState,
    Frequency,
    LogTail,
    PipelineKind,
    Recurrence,
)
from services.local import processes
from services.local.alert_outbox import Outbox
from services.local.deployment_duty import DeploymentDuty
from services.local.duty import Program
from services.local.pipeline_duty import PipelineDuty
from services.local.process_table import ProcessTable
from services.local.store import Store
from services.local.supervised import Probe
from services.local.workspace import LocalWorkspace
from tests.recorded import deployments, pipelines

ROW = (4, "The clock is set")
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["an hour forward", "an hour back"])


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def later(self, **length: float) -> datetime:
        self.now += timedelta(**length)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> LocalWorkspace:
    return LocalWorkspace(tmp_path, clock=clock)


@JUMPS
def test_processes_are_known_again(tmp_path, monkeypatch, figures, jump):
    """psutil tells the start of a process by the time of day, which is what is set."""
    ours = processes.reference(os.getpid())
    store = Store(tmp_path / "workspace.db")
    deployments.supervised(store)
    module = psutil._psplatform  # type: ignore[attr-defined]
    booted = module.boot_time()
    monkeypatch.setattr(module, "boot_time", lambda: booted + jump.total_seconds())
    assert psutil.Process().create_time() != pytest.approx(ours.started_at)

    assert processes.alive(ours)
    assert processes.reference(os.getpid()) == ours
    assert ProcessTable(store).supervisor().state is ComponentState.RUNNING
    figures.add("supervisor, servers, workers", _said(jump), "each is still known as running")


@JUMPS
def test_a_schedule_fires_each_due_time_once(tmp_path, workspace, clock, figures, jump):
    pipeline_id = pipelines.published(tmp_path, workspace.store, kind=PipelineKind.RETRAINING)
    start = NOON.replace(tzinfo=None) - timedelta(days=1)
    workspace.schedules.create(
        "quarterly",
        Recurrence(frequency=Frequency.MINUTE, interval=15, start_time=start),
        pipeline_id=pipeline_id,
        experiment="people",
    )
    duty = PipelineDuty(tmp_path, workspace.store, clock=clock)

    def pass_by(minutes: int) -> None:
        for _ in range(minutes):
            duty.tick(clock.later(minutes=1))

    pass_by(60)
    clock.now += jump
    pass_by(60)
    clock.now -= jump  # and it is put right again
    pass_by(60)

    schedule = workspace.schedules.list()[0]
    firings = workspace.schedules.firings(schedule.id)
    due = [each.due_at for each in firings]
    assert len(set(due)) == len(due), "a due time fired twice"
    dealt_with = len(due) + sum(each.missed_count for each in firings)
    until = max(due)
    assert dealt_with == 1 + (until - min(due)) // timedelta(minutes=15), (
        "a due time was skipped silently"
    )
    assert len(workspace.pipelines.runs()) == len(due)
    figures.add(
        "a schedule every 15 minutes",
        f"{_said(jump)} for an hour, then right again",
        f"{len(due)} runs, each due time once; {dealt_with - len(due)} told as missed",
    )


@JUMPS
def test_a_crashed_server_is_started_again(tmp_path, clock, figures, jump):
    table = ProcessTable(Store(tmp_path / "workspace.db"))
    program = Program(key="server", module="m", args=(), log=tmp_path / "log", server=True)
    for _ in range(6):
        table.starting(program, clock.now)
        table.exited("server", code=1, at=clock.now, backing_off=True)
    assert not table.may_start(program, clock.now)

    clock.now += jump

    assert table.may_start(program, clock.later(seconds=30))
    figures.add("a server that waits to be started again", _said(jump), "started within 30 s")


@JUMPS
def test_a_probe_that_repeats_itself_is_kept(tmp_path, clock, jump):
    store = Store(tmp_path / "workspace.db")
    table = ProcessTable(store)
    program = Program(key="server", module="m", args=(), log=tmp_path / "log", server=True)
    table.starting(program, clock.now)
    table.probed([Probe(key="server", answering=True, at=clock.now)])
    table.beat(clock.now)
    clock.now += jump

    table.probed([Probe(key="server", answering=True, at=clock.later(seconds=6))])
    table.beat(clock.now)

    assert table.observed("server").answered_at == clock.now
    assert store.setting("supervisor_beat") == clock.now.isoformat(timespec="microseconds")


@JUMPS
def test_a_server_that_prepares_is_not_given_up(tmp_path, workspace, clock, figures, jump):
    deployments.deployment(
        tmp_path, workspace.store, "bank", state=DeploymentState.TRANSITIONING, at=clock.now
    )
    duty = DeploymentDuty(tmp_path, workspace.store, clock=clock)
    table = ProcessTable(workspace.store)
    with workspace.store.reading() as db:
        (incarnation,) = db.execute("SELECT incarnation FROM deployments").fetchone()
    program = next(each for each in duty.programs() if each.generation == incarnation)
    table.starting(program, clock.now)
    table.started(program.key, processes.reference(os.getpid()))
    duty.tick(clock.now)

    clock.now += jump
    duty.tick(clock.later(seconds=31))

    assert workspace.deployments.get("bank").state is DeploymentState.TRANSITIONING
    figures.add("a deployment that is made ready", _said(jump), "goes on; it is not given up")

    for _ in range(12):  # it is, once it really takes too long
        duty.tick(clock.later(seconds=31))
    assert workspace.deployments.get("bank").state is DeploymentState.FAILED


@JUMPS
def test_the_log_archive_neither_repeats_nor_loses_a_line(workspace, clock, figures, jump):
    lines = [f"line {number}" for number in range(60)]

    def keep(end: int) -> None:
        tail = "".join(f"{line}\n" for line in lines[max(0, end - 30) : end])
        workspace.log_archive.keep(
            "bank", LogTail(text=tail, line_count=30, limit=30, complete=False)
        )

    keep(20)
    clock.now += jump
    keep(40)
    clock.now -= jump
    keep(60)

    found = workspace.log_archive.search("bank", limit=1000)
    assert [each.text for each in found.lines] == lines
    figures.add("the log archive", f"{_said(jump)} and right again", "60 of 60 lines, once each")


@JUMPS
def test_durations_are_never_negative(tmp_path, workspace, clock, jump):
    deployments.deployment(tmp_path, workspace.store, "bank", at=clock.now)
    workspace.pipelines.submit(pipelines.published(tmp_path, workspace.store), "people")
    clock.now += jump

    run = workspace.pipelines.runs()[0]

    from dashboard import formats

    assert not formats.duration(clock.now - run.created_at).startswith("-")
    assert workspace.deployments.get("bank").state is DeploymentState.HEALTHY


@JUMPS
def test_an_alert_that_is_due_is_sent_once(workspace, clock, figures, jump):
    from services.alerts.records import Channel, ChannelKind

    channel = Channel(id="", name="Team", kind=ChannelKind.WEBHOOK)
    channel = workspace.alerts.save_channel(channel, secret="http://127.0.0.1:9/hook")
    workspace.alerts.begin_test(channel.id)
    outbox = Outbox(workspace.store)
    clock.now += jump

    first = outbox.claim(now=clock.later(seconds=1))
    again = outbox.claim(now=clock.later(seconds=1))

    assert len(first) == 1
    assert not again
    outbox.sent(first[0], now=clock.now)
    clock.now -= jump
    assert not outbox.claim(now=clock.later(minutes=5))
    figures.add("an alert that waits", _said(jump), "claimed once, sent once")


def _said(jump: timedelta) -> str:
    return "an hour forward" if jump > timedelta(0) else "an hour back"
