"""Due times held against firings and runs: what was missed, and how late the others were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import recurrence as rules
from services import schedule_ledger as ledger
from services.domain import (
    AssetStatus,
    Firing,
    Frequency,
    PipelineRun,
    Recurrence,
    RunStatus,
    Schedule,
    Stretch,
)
from services.schedule_ledger import Due, Outcome

CREATED = datetime(2024, 5, 1, tzinfo=UTC)
NOW = datetime(2024, 5, 31, 9, tzinfo=UTC)
DAILY = Recurrence(
    frequency=Frequency.DAY, start_time=datetime(2024, 1, 1), hours=(6,), minutes=(30,)
)
FORTY, HOUR = timedelta(minutes=40), timedelta(hours=1)


def schedule(recurrence: Recurrence = DAILY, **rest: object) -> Schedule:
    usual = {"status": AssetStatus.ACTIVE, "created_at": CREATED, "pipeline_id": "p"}
    return Schedule(
        id="s", name="nightly", recurrence=recurrence, experiment="e", **{**usual, **rest}
    )


def times(recurrence: Recurrence = DAILY, *, until: datetime = NOW) -> list[datetime]:
    found = rules.next_fires(recurrence, anchored_at=CREATED, after=CREATED, count=60)
    return [at for at in found if at <= until]


def run(at: datetime, **rest: object) -> PipelineRun:
    usual = {"schedule_id": "s", "status": RunStatus.COMPLETED}
    return PipelineRun(
        id=f"run {at}", pipeline_id="p", experiment="e", created_at=at, **{**usual, **rest}
    )


def odd(runs, *, plan: Schedule | None = None, since: datetime = CREATED) -> list[Due]:
    found = ledger.of(plan or schedule(), (), runs, exact=False, since=since, until=NOW)
    return list(ledger.remarkable(found))


def test_thirty_punctual_days_are_thirty_times_on_time():
    runs = [run(at + timedelta(seconds=3)) for at in times()]

    found = ledger.from_runs(schedule(), runs, since=CREATED, until=NOW)

    assert [due.outcome for due in found] == [Outcome.PUNCTUAL] * 31
    assert [due.run_id for due in found] == [each.id for each in runs]


def test_a_run_that_is_not_there_is_one_time_missed():
    gone = times()[11]

    assert odd([run(at) for at in times() if at != gone]) == [Due(at=gone, outcome=Outcome.MISSED)]


def test_a_run_forty_minutes_later_is_one_time_late():
    slow = times()[11]
    runs = [run(at + FORTY if at == slow else at) for at in times()]

    (late,) = odd(runs)

    assert (late.at, late.outcome, late.late) == (slow, Outcome.LATE, FORTY)


def test_what_is_due_just_now_is_not_missed_yet():
    minutely = schedule(Recurrence(frequency=Frequency.MINUTE, start_time=datetime(2024, 5, 31)))

    found = odd([], plan=minutely, since=NOW - timedelta(minutes=10))

    assert [due.at for due in found] == [NOW - timedelta(minutes=n) for n in range(10, 5, -1)]


def test_nothing_is_expected_of_a_disabled_schedule_whose_past_nobody_knows():
    plan = schedule(status=AssetStatus.DISABLED)

    assert odd([run(at) for at in times()[:10]], plan=plan) == []
    assert odd([], plan=plan) == []


def test_nothing_is_called_missed_from_before_the_last_change():
    """Azure tells when that was, not what the schedule was before."""
    changed = times()[20] + timedelta(hours=1)

    found = odd([], plan=schedule(changed_at=changed))

    assert [due.at for due in found] == times()[21:]


def test_while_it_was_paused_from_here_nothing_is_expected_and_before_it_is():
    days = times()
    stretches = (
        Stretch(start=CREATED, end=days[9] + HOUR),
        Stretch(start=days[19] + HOUR, end=None),
    )
    plan = schedule(changed_at=days[19] + HOUR, known_since=CREATED, stretches=stretches)
    gone = (days[4], days[25])

    found = odd([run(at) for at in (*days[:10], *days[20:]) if at not in gone], plan=plan)

    assert found == [Due(at=at, outcome=Outcome.MISSED) for at in gone]


def test_a_paused_schedule_keeps_its_past():
    days = times()
    known = {"known_since": CREATED, "stretches": (Stretch(start=CREATED, end=days[9] + HOUR),)}
    plan = schedule(status=AssetStatus.DISABLED, changed_at=days[9] + HOUR, **known)

    assert odd([run(at) for at in days[:9]], plan=plan) == [Due(at=days[9], outcome=Outcome.MISSED)]


def test_a_run_of_one_stretch_is_no_late_one_of_another():
    days = times()
    known = (Stretch(start=CREATED, end=days[9] + HOUR), Stretch(start=days[19], end=None))
    plan = schedule(changed_at=days[19], known_since=CREATED, stretches=known)
    at_once = run(days[19])  # the change itself submitted it

    missed, *_ = odd([*map(run, days[:9]), at_once, *map(run, days[20:])], plan=plan)

    assert missed == Due(at=days[9], outcome=Outcome.MISSED)


def test_a_time_just_before_it_was_disabled_is_not_called_missed():
    days = times()
    stretch = Stretch(start=CREATED, end=days[9] + timedelta(minutes=1))
    plan = schedule(status=AssetStatus.DISABLED, known_since=CREATED, stretches=(stretch,))

    assert odd([run(at) for at in days[:9]], plan=plan) == []


@pytest.mark.parametrize(
    "recurrence",
    [
        Recurrence(frequency=Frequency.HOUR, interval=5),
        Recurrence(frequency=Frequency.DAY, interval=2, hours=(6,)),
    ],
)
def test_out_of_step_only_what_follows_the_newest_run_is_expected(recurrence):
    newest = run(NOW - timedelta(days=4))

    found = odd([run(CREATED), newest], plan=schedule(recurrence))

    assert found
    assert min(due.at for due in found) > newest.created_at


def test_runs_of_others_retries_and_second_runs_do_not_count():
    gone = times()[3]
    runs = [run(at) for at in times() if at != gone]
    others = [
        run(gone, schedule_id="other"),
        run(gone, retry_of="x"),
        run(times()[5] + timedelta(hours=2)),
    ]

    assert odd([*runs, *others]) == [Due(at=gone, outcome=Outcome.MISSED)]


def test_of_an_irregular_schedule_nothing_is_expected():
    assert odd([run(NOW)], plan=schedule(irregular="It follows changed data.")) == []


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 30)),
    st.dictionaries(st.integers(0, 30), st.integers(6, 23 * 60), max_size=31),
    st.booleans(),
)
def test_exactly_what_was_taken_away_or_delayed_is_named(gone, delays, newest_first):
    """By days: those without a run, and minutes of delay, less than a day, of others."""
    runs = [
        run(at + timedelta(minutes=delays.get(day, 0)))
        for day, at in enumerate(times())
        if day not in gone and day != 30
    ]
    found = ledger.from_runs(
        schedule(), runs[::-1] if newest_first else runs, since=CREATED, until=times()[30]
    )

    outcomes = {day: due for day, due in enumerate(found)}
    assert len(found) == 30  # the last one is due this very moment
    for day, due in outcomes.items():
        if day in gone:
            assert due.outcome is Outcome.MISSED
        elif day in delays:
            assert due.late == timedelta(minutes=delays[day])
        else:
            assert due.outcome is Outcome.PUNCTUAL


# --- firings ----------------------------------------------------------------------


def firing(at: datetime, *, late: timedelta = timedelta(0), **rest: object) -> Firing:
    return Firing(due_at=at, fired_at=at + late, **{"run_id": f"run {at}", **rest})


def exactly(firings, **rest: object) -> list[Due]:
    found = ledger.of(schedule(**rest), firings, (), exact=True, since=CREATED, until=NOW)
    return list(ledger.remarkable(found))


def test_recorded_firings_name_each_missed_time():
    days = times()
    firings = [firing(at) for at in days[:5]] + [firing(days[8], missed_count=3)]

    assert exactly(firings[::-1]) == [Due(at=at, outcome=Outcome.MISSED) for at in days[5:8]]


def test_a_pause_is_not_missed_since_nothing_was_recorded():
    days = times()

    assert exactly([firing(at) for at in (*days[:5], *days[20:])]) == []


def test_a_firing_may_be_late_or_refused():
    late, refused = exactly(
        [firing(times()[0], late=FORTY), firing(times()[1], run_id=None, reason="disabled")]
    )

    assert (late.outcome, late.late) == (Outcome.LATE, FORTY)
    assert (refused.outcome, refused.reason) == (Outcome.REFUSED, "disabled")


def test_what_is_overdue_was_missed_though_nobody_recorded_it_yet():
    days = times()

    found = exactly([firing(at) for at in days[:-2]], next_fire_at=days[-2])

    assert [due.at for due in found] == days[-2:]


@settings(deadline=None)
@given(st.integers(1, 5000))
def test_however_many_were_missed_the_count_is_right(count):
    minutely = Recurrence(frequency=Frequency.MINUTE, start_time=datetime(2024, 5, 1))
    at = CREATED + timedelta(minutes=count)
    found = ledger.from_firings(schedule(minutely), [firing(at, missed_count=count)], until=NOW)

    missed = [due for due in found if due.outcome is Outcome.MISSED]
    assert sum(due.count for due in missed) == count
    assert len(missed) <= ledger.LISTED


def test_missed_by_a_recurrence_that_was_changed_since_is_still_counted():
    (missed,) = exactly([firing(CREATED + timedelta(hours=1), missed_count=7)])[:1]

    assert (missed.outcome, missed.count) == (Outcome.MISSED, 7)
