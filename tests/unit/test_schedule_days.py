"""Schedules by day: thirty columns, and the worst of each day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard import charts_schedules, schedule_days
from services.domain import AssetStatus, Frequency, PipelineRun, Recurrence, RunStatus, Schedule
from services.schedule_ledger import Due, Outcome

NOW = datetime(2024, 5, 31, 9, tzinfo=UTC)


def schedule(name: str) -> Schedule:
    return Schedule(
        id=name,
        name=name,
        status=AssetStatus.ACTIVE,
        recurrence=Recurrence(frequency=Frequency.DAY),
        experiment="e",
        pipeline_id="p",
    )


def run(days_ago: float, status: RunStatus = RunStatus.COMPLETED, of: str = "a") -> PipelineRun:
    at = NOW - timedelta(days=days_ago)
    return PipelineRun(
        id=f"{of}-{days_ago}",
        pipeline_id="p",
        experiment="e",
        status=status,
        created_at=at,
        schedule_id=of,
    )


def cells(runs, ledgers=None, *, zone=UTC):
    schedules = [schedule("a"), schedule("b")]
    return schedule_days.cells(schedules, runs, ledgers or {}, now=NOW, zone=zone)


def figure(found):
    return charts_schedules.calendar(
        found, {"a": "a <b>", "b": "b"}, schedule_days.days(NOW, UTC)
    ).to_dict()


def test_thirty_days_of_runs_are_thirty_columns_of_two_rows():
    found = cells([run(day, of=of) for day in range(30) for of in "ab"])

    drawn = figure(found)

    (trace,) = drawn["data"]
    assert len(drawn["layout"]["xaxis"]["categoryarray"]) == 30
    assert len(set(trace["x"])) == 30
    assert len(trace["x"]) == 60
    assert drawn["layout"]["yaxis"]["ticktext"] == ["a &lt;b>", "b"]
    assert ["a-0", "a"] in [list(each) for each in trace["customdata"]]


def test_a_day_is_as_good_as_its_worst_run_and_a_click_opens_that_one():
    (cell,) = cells([run(0), run(0.1, RunStatus.FAILED), run(0.2, RunStatus.CANCELED)])

    assert (cell.group, cell.run_id) == ("Failed", "a-0.1")
    assert cell.lines == ("04:12 Canceled", "06:36 Failed", "09:00 Completed")


def test_missed_and_late_times_are_said():
    missed = Due(at=NOW - timedelta(days=1), outcome=Outcome.MISSED)
    late = Due(
        at=NOW - timedelta(minutes=40),
        outcome=Outcome.LATE,
        run_id="a-0",
        late=timedelta(minutes=40),
    )

    today, yesterday = sorted(cells([run(0)], {"a": [late, missed]}), key=lambda c: -c.day.day)

    assert today.lines == ("09:00 Completed, 40 min late",)
    assert (yesterday.group, yesterday.lines, yesterday.run_id) == (
        "Missed", ("09:00 missed",), "",
    )  # fmt: skip


def test_days_are_the_viewers():
    (cell,) = cells([run(0.6)], zone=ZoneInfo("Pacific/Auckland"))  # 18:36 UTC, the day before

    assert cell.day.isoformat() == "2024-05-31"


def test_what_is_older_or_of_others_is_left_out():
    assert cells([run(31), run(1, of="gone")]) == ()


def test_many_runs_of_a_day_are_counted():
    (cell,) = cells([run(minute / 1440) for minute in range(100)])

    assert len(cell.lines) == schedule_days.LINES + 1
    assert cell.lines[-1] == "and 88 more"
