"""Which times a schedule on Azure missed: by its recurrence, its runs and the changes we know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services import schedule_ledger as ledger
from services.alerts import expected
from services.azure.workspace import AzureWorkspace
from services.domain import AssetStatus, Schedule
from services.local.workspace import open_workspace
from services.schedule_ledger import Due, Outcome
from tests.azure_double.answers import instant
from tests.azure_double.hand import Double, double
from tests.azure_double.opened import open_azure
from tests.recorded import pipelines as recorded

DAYS, TESTS = 9, 7
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def histories() -> list[recorded.History]:
    return []


@pytest.fixture(scope="module")
def azure(
    tmp_path_factory: pytest.TempPathFactory, histories: list[recorded.History]
) -> Iterator[Double]:
    """Nine days of some nightly retrainings, recorded before anything runs there."""
    folder, now = tmp_path_factory.mktemp("azure"), datetime.now(UTC)
    hour = (now - 6 * HOUR).hour  # nothing falls due while the tests run
    for number in range(TESTS):
        engine = open_workspace(folder / "workspace")
        nightly = replace(recorded.DAILY, time_zone="UTC", hours=(hour,))
        histories.append(
            recorded.retraining(
                engine.home, engine.store, name=f"nightly {number}", days=DAYS, failed=(),
                now=now, recurrence=nightly,
            )
        )  # fmt: skip
    with double(folder) as azure, azure.surroundings():
        yield azure


@pytest.fixture(scope="module")
def workspace(azure: Double) -> AzureWorkspace:
    workspace = open_azure(azure)
    workspace.schedules.list()  # signed in, and the SDK imported
    return workspace


@pytest.fixture
def history(azure: Double, histories: list[recorded.History]) -> Iterator[recorded.History]:
    """One that no other test has changed."""
    yield histories.pop()
    azure.turn(**{"pipelines.extras": {}})
    assert azure.unknown() == []


def found(workspace: AzureWorkspace, history: recorded.History) -> Schedule:
    (schedule,) = [each for each in workspace.schedules.list() if each.id == history.schedule_id]
    return schedule


def dues(workspace: AzureWorkspace, history: recorded.History) -> tuple[Due, ...]:
    now = datetime.now(UTC)
    runs = workspace.pipelines.runs(schedule_id=history.schedule_id)
    schedule = found(workspace, history)
    since = now - timedelta(days=30)
    return ledger.of(schedule, (), runs, exact=False, since=since, until=now)


def odd(workspace: AzureWorkspace, history: recorded.History) -> list[tuple[Outcome, object]]:
    return [(due.outcome, due.late) for due in ledger.remarkable(dues(workspace, history))]


def amiss(azure: Double, history: recorded.History) -> None:
    """One run is not the schedule's any more, and one came forty minutes later."""
    gone, slow = history.run_ids[3], history.run_ids[6]
    late = azure.engine.pipelines.run(slow).created_at + timedelta(minutes=40)
    extras = {gone: {"ScheduleId": None}, slow: {"CreatedDate": instant(late)}}
    azure.turn(**{"pipelines.extras": extras})


def summed(workspace: AzureWorkspace, history: recorded.History) -> list[str]:
    """In words, to the minute."""
    return [
        f"late {round(late.total_seconds() / 60)} min" if late else outcome.value
        for outcome, late in odd(workspace, history)
    ]


def test_a_run_that_is_not_there_is_missed_and_one_that_came_later_is_late(
    azure, workspace, history
):
    assert odd(workspace, history) == []

    amiss(azure, history)

    assert summed(workspace, history) == ["missed", "late 40 min"]


def test_a_pause_from_here_hides_nothing_and_misses_nothing(azure, workspace, history):
    amiss(azure, history)
    port = workspace.schedules
    until = datetime.now(UTC) + HOUR
    port.pause([history.schedule_id], reason="storage is moved", until=until)

    assert summed(workspace, history) == ["missed", "late 40 min"]
    port.enable(history.schedule_id)
    port.update(history.schedule_id, description="nightly")

    assert summed(workspace, history) == ["missed", "late 40 min"]
    schedule = found(workspace, history)
    assert schedule.known_since == schedule.created_at
    assert [each.end is None for each in schedule.stretches] == [False, False, True]


@pytest.mark.parametrize("change", ["disable", "enable again", "move"])
def test_of_what_was_before_a_change_in_the_portal_nothing_is_claimed(
    azure, workspace, history, change
):
    amiss(azure, history)
    workspace.schedules.disable(history.schedule_id)
    workspace.schedules.enable(history.schedule_id)
    there = azure.engine.schedules
    if change == "move":
        moved = replace(recorded.DAILY, hours=((datetime.now(UTC) - 3 * HOUR).hour,))
        there.update(history.schedule_id, recurrence=moved)
    else:
        there.disable(history.schedule_id)
    if change == "enable again":
        there.enable(history.schedule_id)

    schedule = found(workspace, history)

    assert odd(workspace, history) == []
    assert schedule.known_since == schedule.changed_at
    assert schedule.changed_at > schedule.created_at
    active = schedule.status is AssetStatus.ACTIVE
    assert len(schedule.stretches) == (1 if active else 0)


def test_the_alert_rule_counts_back_over_a_change_of_ours(azure, workspace, history):
    *_, last = history.run_ids
    azure.turn(**{"pipelines.extras": {last: {"ScheduleId": None}}})
    workspace.schedules.disable(history.schedule_id)
    workspace.schedules.enable(history.schedule_id)
    now = datetime.now(UTC) + timedelta(minutes=10)
    runs = workspace.pipelines.runs(schedule_id=history.schedule_id)

    (firing,) = expected.firings([found(workspace, history)], runs, limit=200, now=now)[
        history.schedule_id
    ]

    assert (firing.run_id, firing.missed_count) == (None, 1)


def test_knowing_the_past_costs_no_request(azure, workspace, history):
    workspace.schedules.disable(history.schedule_id)
    azure.asked()

    workspace.schedules.list()

    assert len([each for each in azure.asked() if "/Schedules" in each]) == 1
