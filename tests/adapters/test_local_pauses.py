"""Pauses that end by themselves and retries that stop, with the real supervisor."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.domain import AssetStatus, Frequency, Recurrence, RunStatus
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local import processes
from services.local.clock import utc_now
from services.local.pipeline_duty import PipelineDuty
from services.local.pipeline_journal import PipelineJournal
from services.local.workspace import LocalWorkspace
from tests.recorded import pipelines as recorded

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
HOURLY = Recurrence(frequency=Frequency.HOUR, start_time=datetime(2024, 5, 1, 12, 30))
FAR = Recurrence(frequency=Frequency.DAY, start_time=datetime(2090, 1, 1))


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


class Local:
    def __init__(self, home: Path) -> None:
        self.clock = Clock()
        self.workspace = LocalWorkspace(home, clock=self.clock)
        self.schedules, self.pipelines = self.workspace.schedules, self.workspace.pipelines
        self.journal = PipelineJournal(home, self.workspace.store, clock=self.clock)
        self.duty = PipelineDuty(home, self.workspace.store, clock=self.clock)
        self.pipeline_id = recorded.published(home, self.workspace.store, at=NOON)

    def schedule(self, name: str, recurrence: Recurrence = HOURLY) -> str:
        return self.schedules.create(
            name, recurrence, pipeline_id=self.pipeline_id, experiment="people"
        ).id

    def tick(self, at: datetime) -> None:
        self.clock.now = at
        self.duty.tick(at)

    def active(self) -> set[str]:
        return {each.id for each in self.schedules.list() if each.status is AssetStatus.ACTIVE}

    def settle_newest(self, status: RunStatus) -> None:
        self.journal.settle(self.pipelines.runs()[0].id, status, error="boom")
        self.tick(self.clock.now + timedelta(seconds=1))


@pytest.fixture
def local(tmp_path: Path) -> Local:
    return Local(tmp_path)


# --- pauses -----------------------------------------------------------------------


def test_exactly_the_paused_ones_are_active_again_at_the_end(local):
    ids = [local.schedule(f"s{n}", FAR) for n in range(5)]
    local.schedules.disable(ids[4])
    end = NOON + timedelta(hours=3)

    paused = local.schedules.pause(ids[1:], reason="storage is moved", until=end)

    assert set(paused) == set(ids[1:4])  # the one that was Disabled for good is left alone
    assert local.active() == {ids[0]}
    assert local.schedules.get(ids[1]).pause.reason == "storage is moved"
    local.tick(end - timedelta(microseconds=1))
    assert local.active() == {ids[0]}
    local.tick(end)
    assert local.active() == set(ids[:4])
    assert all(each.pause is None for each in local.schedules.list())


def test_nothing_fires_meanwhile_and_nothing_is_made_up_for(local):
    schedule_id = local.schedule("hourly")
    end = NOON + timedelta(hours=3)
    local.schedules.pause([schedule_id], reason="maintenance", until=end)

    for minutes in range(0, 181, 10):
        local.tick(NOON + timedelta(minutes=minutes))

    assert local.pipelines.runs() == ()
    assert local.schedules.get(schedule_id).next_fire_at == end + timedelta(minutes=30)
    local.tick(end + timedelta(minutes=30))
    (firing,) = local.schedules.firings(schedule_id)
    assert (firing.missed_count, firing.due_at) == (0, end + timedelta(minutes=30))


def test_what_is_due_at_the_very_end_fires(local):
    schedule_id = local.schedule("hourly")
    end = NOON + timedelta(hours=1, minutes=30)
    local.schedules.pause([schedule_id], reason="maintenance", until=end)

    local.tick(end)

    assert len(local.pipelines.runs(schedule_id=schedule_id)) == 1


def test_after_the_end_nobody_looked_so_times_were_missed(local):
    schedule_id = local.schedule("hourly")
    local.schedules.pause([schedule_id], reason="maintenance", until=NOON + timedelta(hours=1))

    local.tick(NOON + timedelta(hours=4))  # due at 13:30, 14:30 and 15:30

    (firing,) = local.schedules.firings(schedule_id)
    assert firing.missed_count == 2


@pytest.mark.parametrize("decision", ["enable", "disable", "delete"])
def test_what_somebody_decides_meanwhile_stands(local, decision):
    schedule_id = local.schedule("hourly", FAR)
    end = NOON + timedelta(hours=1)
    local.schedules.pause([schedule_id], reason="maintenance", until=end)

    getattr(local.schedules, decision)(schedule_id)
    local.tick(end)

    assert local.active() == ({schedule_id} if decision == "enable" else set())


def test_a_second_pause_moves_the_end(local):
    schedule_id = local.schedule("hourly", FAR)
    local.schedules.pause([schedule_id], reason="first", until=NOON + timedelta(hours=1))
    local.schedules.pause([schedule_id], reason="longer", until=NOON + timedelta(hours=2))

    local.tick(NOON + timedelta(hours=1))
    assert local.active() == set()
    local.tick(NOON + timedelta(hours=2))
    assert local.active() == {schedule_id}


@pytest.mark.parametrize(
    ("reason", "hours"), [(" ", 1), ("maintenance", 0), ("maintenance", 24 * 400)]
)
def test_a_pause_needs_a_reason_and_an_end(local, reason, hours):
    schedule_id = local.schedule("hourly", FAR)

    with pytest.raises(InvalidRequestError):
        local.schedules.pause([schedule_id], reason=reason, until=NOON + timedelta(hours=hours))

    assert local.active() == {schedule_id}


def test_one_that_does_not_exist_leaves_all_as_they_were(local):
    schedule_id = local.schedule("hourly", FAR)

    with pytest.raises(NotFoundError):
        local.schedules.pause([schedule_id, "gone"], reason="x", until=NOON + timedelta(hours=1))

    assert local.active() == {schedule_id}


def test_the_audit_log_says_who_why_and_until_when(local):
    schedule_id = local.schedule("hourly", FAR)
    end = NOON + timedelta(hours=1)
    local.schedules.pause([schedule_id], reason="storage is moved", until=end)
    local.tick(end)

    resumed, paused = local.workspace.audit.list(subject="schedule/hourly")[:2]
    assert (paused.action, paused.after["reason"]) == ("schedule.pause", "storage is moved")
    assert (resumed.action, resumed.actor) == ("schedule.resume", "supervisor")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Starts the workspace's supervisor; its process id."""
    children = []

    def start() -> int:
        child = processes.spawn("services.local.supervisor", str(tmp_path), log=tmp_path / "log")
        children.append(child)
        return child.pid

    yield start
    for child in children:
        child.kill()
        child.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_pause_ends_though_the_supervisor_was_killed_within(local, tmp_path, started):
    local.clock.now = utc_now()
    ids = [local.schedule(f"s{n}", FAR) for n in range(5)]
    first = started()
    end = utc_now() + timedelta(seconds=4)
    local.schedules.pause(ids[:3], reason="maintenance", until=end)

    os.kill(first, signal.SIGKILL)
    assert local.active() == set(ids[3:])
    started()

    until(lambda: local.active() == set(ids))
    assert utc_now() >= end
    resumed = [e for e in local.workspace.audit.list() if e.action == "schedule.resume"]
    assert {e.subject for e in resumed} == {"schedule/s0", "schedule/s1", "schedule/s2"}


# --- retries ----------------------------------------------------------------------


def failed_run(local: Local) -> str:
    run = local.pipelines.submit(
        local.pipeline_id, "people", parameters={"experiment_timeout_minutes": "7"}
    )
    local.journal.settle(run.id, RunStatus.FAILED, error="boom")
    local.clock.now += timedelta(seconds=1)  # an attempt comes later
    return run.id


def attempts(local: Local, run_id: str) -> list[RunStatus]:
    runs = [each for each in local.pipelines.runs() if each.retry_of == run_id]
    return [each.status for each in reversed(runs)]


def test_a_retry_has_the_same_parameters(local):
    run_id = failed_run(local)

    attempt = local.pipelines.retry(run_id)

    first = local.pipelines.run(run_id)
    assert attempt.retry_of == run_id
    assert attempt.parameters == first.parameters
    assert attempt.parameters["experiment_timeout_minutes"] == "7"
    assert (attempt.experiment, attempt.pipeline_id) == (first.experiment, first.pipeline_id)


def test_what_fails_again_is_tried_again_and_stops_at_n(local):
    run_id = failed_run(local)
    local.pipelines.retry(run_id, at_most=3)

    for _ in range(6):
        local.settle_newest(RunStatus.FAILED)

    assert attempts(local, run_id) == [RunStatus.FAILED] * 3


@pytest.mark.parametrize("end", [RunStatus.COMPLETED, RunStatus.CANCELED])
def test_an_attempt_that_did_not_fail_is_the_last(local, end):
    run_id = failed_run(local)
    local.pipelines.retry(run_id, at_most=5)
    local.settle_newest(RunStatus.FAILED)

    for _ in range(3):
        local.settle_newest(end)

    assert attempts(local, run_id) == [RunStatus.FAILED, end]


def test_a_pipeline_that_was_disabled_meanwhile_ends_the_retries(local):
    run_id = failed_run(local)
    local.pipelines.retry(run_id, at_most=5)
    local.pipelines.disable(local.pipeline_id)
    local.settle_newest(RunStatus.FAILED)
    local.pipelines.enable(local.pipeline_id)
    local.tick(local.clock.now + timedelta(minutes=1))

    assert attempts(local, run_id) == [RunStatus.FAILED]


def test_retried_once_more_after_the_last_attempt(local):
    run_id = failed_run(local)
    first = local.pipelines.retry(run_id)
    local.settle_newest(RunStatus.FAILED)

    local.pipelines.retry(first.id, at_most=2)
    for _ in range(4):
        local.settle_newest(RunStatus.FAILED)

    assert attempts(local, run_id) == [RunStatus.FAILED] * 3


def test_a_run_under_way_or_being_retried_is_not_retried(local):
    run_id = failed_run(local)
    attempt = local.pipelines.retry(run_id, at_most=2)

    with pytest.raises(ConflictError, match="Only a failed run"):
        local.pipelines.retry(attempt.id)
    with pytest.raises(ConflictError, match="being retried already"):
        local.pipelines.retry(run_id)
    with pytest.raises(InvalidRequestError):
        local.pipelines.retry(run_id, at_most=0)
