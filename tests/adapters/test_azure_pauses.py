"""Pauses on Azure: disabled there, kept here, and resumed at their time, once, come what may."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard import choices, opening
from dashboard.settings import ROOT
from services.alerts.watching import Watch
from services.azure.schedules import AzureSchedules
from services.azure.workspace import AzureWorkspace
from services.domain import AssetStatus, Frequency, Recurrence
from services.errors import (
    AccessDeniedError,
    NotFoundError,
    OperationFailedError,
    UnavailableError,
)
from services.local.alert_outbox import Outbox
from services.local.desk_pauses import DeskPauses
from services.local.desk_schedule_changes import DeskScheduleChanges
from services.local.store import stamp
from services.pauses import Ending
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import pipelines as recorded

LIMIT_S = 60.0
HASTY_S = 4.0
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FAR = Recurrence(frequency=Frequency.DAY, start_time=datetime(2090, 1, 1))
PUT = "PUT .*Schedules/"


class Desk:
    """The adapter at a time of our choosing, and what is kept of its pauses."""

    def __init__(self, azure: Double, workspace: AzureWorkspace) -> None:
        self.azure, self.workspace = azure, workspace
        self.now = datetime.now(UTC)
        self.kept = DeskPauses(azure.engine.store, workspace.name, clock=self.clock)
        changes = DeskScheduleChanges(azure.engine.store, workspace.name)
        self.port = AzureSchedules(workspace.connection, self.kept, changes, clock=self.clock)
        (pipeline,) = azure.engine.pipelines.list()
        self.ids = [
            azure.engine.schedules.create(
                f"s{number}", FAR, pipeline_id=pipeline.id, experiment="people"
            ).id
            for number in range(5)
        ]

    def clock(self) -> datetime:
        return self.now

    def active(self) -> set[str]:
        """As Azure has it."""
        found = self.azure.engine.schedules.list()
        return {each.id for each in found if each.status is AssetStatus.ACTIVE} & set(self.ids)

    def pause(self, ids: Sequence[str], *, hours: float = 1) -> datetime:
        until = self.now + hours * HOUR
        self.port.pause(ids, reason="storage is moved", until=until)
        self.azure.asked()
        return until

    def at(self, moment: datetime) -> tuple[str, ...]:
        self.now = moment
        return self.port.resume_due()

    def asked(self) -> list[str]:
        return [each.split()[0] for each in self.azure.asked() if "/Schedules" in each]

    def actions(self, name: str) -> list[tuple[str, str]]:
        """Newest first: what was done, and by whom."""
        events = self.workspace.audit.list(subject=f"schedule/{name}")
        return [(each.action, each.actor) for each in events]


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        recorded.published(azure.engine.home, azure.engine.store, at=datetime.now(UTC))
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    workspace = open_azure(azure, limit_s=HASTY_S)
    workspace.schedules.list()  # signed in, and the SDK imported
    return workspace


@pytest.fixture
def desk(azure: Double, workspace: AzureWorkspace) -> Iterator[Desk]:
    with azure.engine.store.transaction() as db:
        db.execute("DELETE FROM desk_pauses")
        db.execute("DELETE FROM audit")
    desk = Desk(azure, workspace)
    azure.asked()
    yield desk
    azure.misbehave()
    for schedule_id in desk.ids:
        azure.engine.schedules.delete(schedule_id)
    assert azure.unknown() == []


# --- when all goes well -----------------------------------------------------------


def test_exactly_the_paused_ones_are_active_again_at_the_end(desk):
    until = desk.pause(desk.ids[:3])

    assert desk.active() == set(desk.ids[3:])
    assert desk.at(until - timedelta(microseconds=1)) == ()
    assert desk.active() == set(desk.ids[3:])
    assert desk.at(until) == ("s0", "s1", "s2")
    assert desk.active() == set(desk.ids)
    assert all(each.pause is None for each in desk.port.list())


def test_what_it_costs(desk):
    desk.port.pause(desk.ids[:3], reason="x", until=desk.now + HOUR)
    assert sorted(desk.asked()) == ["GET"] * 3 + ["PUT"] * 3

    desk.port.list()
    assert desk.asked() == ["GET"]
    desk.at(desk.now)
    assert desk.asked() == []  # nothing is due, nothing is asked

    desk.at(desk.now + HOUR)
    assert desk.asked() == ["GET", "PUT"] * 3
    desk.at(desk.now + HOUR)
    assert desk.asked() == []


def test_moving_the_end_asks_for_no_change(desk):
    desk.pause(desk.ids[:1], hours=1)
    later = desk.pause(desk.ids[:1], hours=2)

    assert desk.at(later - HOUR) == ()
    assert desk.at(later) == ("s0",)


def test_none_is_paused_when_one_is_unknown(desk):
    with pytest.raises(NotFoundError, match="nobody"):
        desk.port.pause([*desk.ids, "nobody"], reason="x", until=desk.now + HOUR)

    assert "PUT" not in desk.asked()
    assert desk.kept.open() == {}


def test_the_audit_log_says_who_resumed_and_once(desk):
    until = desk.pause(desk.ids[:1])
    for _ in range(3):
        desk.at(until + MINUTE)

    (resumed, resumed_by), (paused, paused_by) = desk.actions("s0")
    assert (resumed, resumed_by, paused) == ("schedule.resume", "watcher", "schedule.pause")
    assert paused_by != "watcher"


# --- somebody else decides --------------------------------------------------------


def test_one_enabled_in_the_portal_is_not_asked_to_go_on(desk):
    until = desk.pause(desk.ids[:1])
    desk.azure.engine.schedules.enable(desk.ids[0])

    assert desk.at(until) == ()

    assert desk.asked() == ["GET"]
    assert desk.actions("s0")[0] == ("schedule.pause over", "watcher")


def test_one_enabled_in_the_portal_and_seen_so_may_be_disabled_there_for_good(desk):
    until = desk.pause(desk.ids[:1])
    desk.azure.engine.schedules.enable(desk.ids[0])
    desk.now += 2 * MINUTE
    desk.port.list()
    desk.azure.engine.schedules.disable(desk.ids[0])

    desk.at(until)

    assert desk.ids[0] not in desk.active()
    assert desk.port.get(desk.ids[0]).pause is None


def test_an_answer_older_than_the_pause_does_not_end_it(desk):
    """Azure may answer from before it heard of the change."""
    (schedule,) = [each for each in desk.port.list() if each.id == desk.ids[0]]
    until = desk.pause(desk.ids[:1])

    desk.port._pauses.shown(schedule, desk.kept.open()[schedule.id])

    assert desk.at(until) == ("s0",)


def test_one_that_is_gone_at_the_end_is_let_go(desk):
    until = desk.pause(desk.ids[:1])
    desk.azure.engine.schedules.delete(desk.ids[0])

    assert desk.at(until) == ()

    (kept,) = desk.kept.of(desk.ids[0])
    assert kept.ending is Ending.GONE


@pytest.mark.parametrize("decision", ["disable", "pause"])
def test_what_is_decided_while_azure_is_asked_to_resume_stands(desk, monkeypatch, decision):
    until = desk.pause(desk.ids[:1])
    entities = desk.port._entities
    real, decided = entities.set_status, []

    def meanwhile(entity, status):
        if not decided:
            decided.append(decision)
            if decision == "disable":
                desk.port.disable(desk.ids[0])
            else:
                desk.pause(desk.ids[:1], hours=5)
        real(entity, status)

    monkeypatch.setattr(entities, "set_status", meanwhile)

    assert desk.at(until) == ()

    assert desk.ids[0] not in desk.active()
    assert (desk.port.get(desk.ids[0]).pause is None) == (decision == "disable")


# --- trouble ----------------------------------------------------------------------


def test_a_resume_that_azure_refuses_is_said_told_and_tried_again(desk):
    until = desk.pause(desk.ids[:1])
    desk.azure.misbehave(Fault(pattern=PUT, status=403))

    assert desk.at(until) == ()
    (shown,) = [each for each in desk.port.list() if each.pause]
    assert "role" in shown.pause.problem
    desk.azure.asked()
    desk.at(until + timedelta(seconds=10))
    assert desk.asked() == []  # not at every moment

    watch = Watch(desk.workspace, Outbox(desk.azure.engine.store, workspace=desk.workspace.name))
    watch.evaluate(now=until + MINUTE)
    (told,) = [
        each
        for each in desk.workspace.alerts.incidents()
        if each.open and each.title == "Schedule s0 was not resumed"
    ]
    assert "role" in told.detail

    desk.azure.misbehave()
    assert desk.at(until + MINUTE) == ("s0",)
    watch.evaluate(now=until + 2 * MINUTE)
    titles = {each.title for each in desk.workspace.alerts.incidents() if each.open}
    assert "Schedule s0 was not resumed" not in titles
    assert [each for each, _ in desk.actions("s0")].count("schedule.resume") == 1


def test_killed_between_asking_azure_and_noting_it_resumes_once(desk, monkeypatch):
    until = desk.pause(desk.ids[:1])

    class Killed(BaseException):
        pass

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(desk.kept, "end", killed)
        desk.at(until)
    assert desk.ids[0] in desk.active()
    desk.azure.asked()

    desk.at(until + MINUTE)

    assert desk.asked() == ["GET"]
    assert [each for each, _ in desk.actions("s0")] == ["schedule.resume", "schedule.pause"]


def test_a_timer_that_could_not_be_set_up_is_asked_for_again(desk):
    until = desk.pause(desk.ids[:1])
    desk.azure.turn(**{"pipelines.extras": {desk.ids[0]: {"ProvisioningStatus": "Failed"}}})
    desk.at(until)
    assert "timer" in desk.kept.open()[desk.ids[0]].pause.problem

    desk.azure.turn(**{"pipelines.extras": {}})
    desk.at(until + MINUTE)

    assert desk.kept.open() == {}
    assert desk.ids[0] in desk.active()


def test_one_that_azure_refuses_to_disable_leaves_no_pause_behind(desk):
    third = desk.ids[2]
    desk.azure.misbehave(Fault(pattern=f"{PUT}{third}", status=403))

    with pytest.raises(OperationFailedError, match="2 of 4 schedules are paused; “s2”.*role"):
        desk.port.pause(desk.ids[:4], reason="x", until=desk.now + HOUR)

    assert desk.active() == set(desk.ids[2:])
    assert set(desk.kept.open()) == set(desk.ids[:2])
    with pytest.raises(AccessDeniedError):
        desk.port.pause([third], reason="x", until=desk.now + HOUR)


def test_one_that_was_disabled_although_nobody_heard_the_answer_goes_on_too(desk):
    """The answer is late, not the change."""
    desk.azure.misbehave(Fault(pattern=PUT, delay_s=HASTY_S + 1, times=1))
    until = desk.now + HOUR
    with pytest.raises(UnavailableError):
        desk.port.pause(desk.ids[:1], reason="x", until=until)
    _until(lambda: desk.ids[0] not in desk.active())

    assert desk.port.get(desk.ids[0]).pause is not None
    assert desk.at(until) == ("s0",)


def test_one_that_was_never_disabled_is_not_said_to_be_paused(desk):
    desk.azure.misbehave(Fault(pattern=PUT, drop=True))
    until = desk.now + HOUR
    with pytest.raises(UnavailableError):
        desk.port.pause(desk.ids[:1], reason="x", until=until)
    desk.azure.misbehave()

    assert desk.port.get(desk.ids[0]).pause is None
    assert desk.at(until) == ()
    assert desk.kept.of(desk.ids[0])[0].ending is Ending.REFUSED


# --- the process that does it -----------------------------------------------------


def test_a_watcher_that_was_killed_resumes_late_and_once(azure, tmp_path, monkeypatch):
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    monkeypatch.setenv("DASHBOARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DASHBOARD_AZURE_WATCH_S", "10")
    choices.forget()
    workspace = opening.azure(choices.settings())
    (pipeline,) = azure.engine.pipelines.list()
    schedule = azure.engine.schedules.create(
        "late", FAR, pipeline_id=pipeline.id, experiment="people"
    )
    log = tmp_path / "watcher.log"

    with _watching(log) as first:
        _until(lambda: workspace.alerts.evaluated_at() is not None, log=log)
        until = datetime.now(UTC) + 10 * MINUTE
        workspace.schedules.pause([schedule.id], reason="maintenance", until=until)
        first.kill()
        first.wait()
    with workspace._desk._store.transaction() as db:  # ten minutes go by
        db.execute("UPDATE desk_pauses SET until = ?", (stamp(datetime.now(UTC) - MINUTE),))
    assert azure.engine.schedules.get(schedule.id).status is AssetStatus.DISABLED
    with _watching(log):
        _until(
            lambda: azure.engine.schedules.get(schedule.id).status is AssetStatus.ACTIVE, log=log
        )
        _until(lambda: workspace._desk.pauses.open() == {}, log=log)

    resumed = [each for each in workspace.audit.list() if each.action == "schedule.resume"]
    assert [(each.subject, each.actor) for each in resumed] == [("schedule/late", "watcher")]
    azure.engine.schedules.delete(schedule.id)
    choices.forget()


@contextlib.contextmanager
def _watching(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m dashboard.watch``, as the dashboard keeps it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.watch"], cwd=ROOT, env=os.environ,
            stdin=subprocess.PIPE, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _until(condition: Callable[[], bool], *, log=None) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, log.read_text() if log else "not in time"
        time.sleep(0.1)
