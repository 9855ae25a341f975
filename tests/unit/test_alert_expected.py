"""Due times that nobody recorded, from when a schedule was last changed and the runs it has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.alerts import expected
from services.domain import AssetStatus, Frequency, PipelineRun, Recurrence, RunStatus, Schedule

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def schedule(*, status=AssetStatus.ACTIVE, changed_days=30.0, irregular=""):
    return Schedule(
        id="s1", name="Nightly", status=status, experiment="e", pipeline_id="p1",
        recurrence=Recurrence(frequency=Frequency.DAY, hours=(2,), minutes=(0,)),
        created_at=NOW - 60 * DAY, changed_at=NOW - changed_days * DAY, irregular=irregular,
    )  # fmt: skip


def run(days_ago, *, after_min=1, schedule_id="s1"):
    at = NOW.replace(hour=2) - days_ago * DAY + timedelta(minutes=after_min)
    return PipelineRun(
        id=f"r{days_ago}", pipeline_id="p1", experiment="e", status=RunStatus.COMPLETED,
        created_at=at, started_at=at, ended_at=at, schedule_id=schedule_id,
    )  # fmt: skip


def last(schedule, runs, *, limit=200):
    return expected.firings([schedule], runs, limit=limit, now=NOW).get("s1")


def test_a_run_within_minutes_answers_the_due_time():
    (firing,) = last(schedule(), [run(0), run(1)])

    assert (firing.due_at, firing.run_id, firing.missed_count) == (NOW.replace(hour=2), "r0", 0)


def test_a_late_run_says_how_late():
    (firing,) = last(schedule(), [run(0, after_min=40)])

    assert firing.fired_at - firing.due_at == timedelta(minutes=40)


def test_times_without_a_run_are_counted_back_to_the_last_one():
    (firing,) = last(schedule(), [run(3), run(4)])

    assert (firing.run_id, firing.fired_at, firing.missed_count) == (None, None, 3)


def test_somebody_elses_run_answers_nothing():
    (firing,) = last(schedule(), [run(0, schedule_id=None), run(1)])

    assert firing.missed_count == 1


def test_nothing_was_due_while_it_was_disabled_or_otherwise():
    """Azure keeps no history: before its last change it may not have been Active."""
    assert last(schedule(changed_days=0.1), []) is None
    assert last(schedule(status=AssetStatus.DISABLED), []) is None
    assert last(schedule(irregular="When data changes"), []) is None


def test_one_without_a_start_counts_from_its_newest_run():
    every = replace(
        schedule(), recurrence=Recurrence(frequency=Frequency.HOUR), changed_at=NOW - 5 * DAY
    )
    began = replace(run(0), created_at=NOW - timedelta(minutes=50))

    assert last(every, [began]) is None
    (firing,) = expected.firings([every], [began], limit=200, now=NOW + timedelta(hours=2))["s1"]
    assert firing.missed_count == 2


def test_before_the_oldest_of_a_full_list_nothing_is_known():
    runs = [run(0, schedule_id="other"), run(1, schedule_id="other")]

    (firing,) = last(schedule(), runs, limit=2)

    assert firing.missed_count == 1
