"""What holds for every recurrence, whatever its zone, start and slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services import recurrence as rules
from services.domain import Frequency, Recurrence, WeekDay
from services.time_zones import OFFERED

instants = st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
starts = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1)).map(
    lambda at: at.replace(microsecond=0)
)


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    frequency = draw(st.sampled_from(Frequency))
    daily = frequency in (Frequency.DAY, Frequency.WEEK)
    return Recurrence(
        frequency=frequency,
        interval=draw(st.integers(1, 40)),
        start_time=draw(starts),
        time_zone=draw(st.sampled_from(OFFERED)),
        hours=tuple(draw(st.lists(st.integers(0, 23), max_size=4)) if daily else ()),
        minutes=tuple(draw(st.lists(st.integers(0, 59), max_size=4)) if daily else ()),
        week_days=tuple(
            draw(st.lists(st.sampled_from(WeekDay), max_size=7))
            if frequency is Frequency.WEEK
            else ()
        ),
    )


@given(recurrences(), instants, instants)
@settings(max_examples=300, deadline=None)
def test_fire_times_strictly_rise_and_lie_after(recurrence, anchored_at, after):
    times = rules.next_fires(recurrence, anchored_at=anchored_at, after=after, count=12)

    assert rules.problems(recurrence) == ()
    assert len(times) == 12
    assert all(earlier < later for earlier, later in pairwise((after, *times)))


@given(recurrences(), instants, instants)
@settings(max_examples=300, deadline=None)
def test_asking_again_from_any_fire_time_continues_the_same_series(recurrence, anchored_at, after):
    times = rules.next_fires(recurrence, anchored_at=anchored_at, after=after, count=12)

    for position, fired_at in enumerate(times[:-1]):
        assert (
            rules.next_fires(recurrence, anchored_at=anchored_at, after=fired_at, count=1)
            == times[position + 1 : position + 2]
        )


@given(recurrences(), instants, instants)
@settings(max_examples=300, deadline=None)
def test_it_never_fires_before_it_starts(recurrence, anchored_at, after):
    (first,) = rules.next_fires(recurrence, anchored_at=anchored_at, after=after, count=1)

    if recurrence.start_time is None:
        assert first >= anchored_at
    else:
        zone = ZoneInfo(recurrence.time_zone)
        assert first >= recurrence.start_time.replace(tzinfo=zone).astimezone(UTC)


@given(recurrences(), instants)
@settings(max_examples=300, deadline=None)
def test_slots_show_the_chosen_hours_except_where_the_clocks_skip_them(recurrence, anchored_at):
    if not (recurrence.hours and recurrence.minutes and recurrence.start_time):
        return
    zone = ZoneInfo(recurrence.time_zone)

    for at in rules.next_fires(recurrence, anchored_at=anchored_at, after=anchored_at):
        local = at.astimezone(zone)
        if local.utcoffset() == (at - timedelta(days=1)).astimezone(zone).utcoffset():
            assert local.hour in recurrence.hours
            assert local.minute in recurrence.minutes


@given(recurrences(), instants, st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_collapsing_counts_every_firing_once(recurrence, anchored_at, hours):
    until = anchored_at + timedelta(hours=hours)
    after = anchored_at - timedelta(seconds=1)

    latest, earlier = rules.collapse(recurrence, anchored_at=anchored_at, after=after, until=until)

    times = []
    for at in rules.fire_times(recurrence, anchored_at=anchored_at, after=after):
        if at > until:
            break
        times.append(at)
    assert latest == (times[-1] if times else None)
    assert earlier == max(0, len(times) - 1)


@given(recurrences(), instants)
@settings(max_examples=200, deadline=None)
def test_the_safe_start_time_never_runs_at_once(recurrence, now):
    start = rules.safe_start(recurrence, now=now)
    safe = Recurrence(
        frequency=recurrence.frequency,
        interval=recurrence.interval,
        start_time=start,
        time_zone=recurrence.time_zone,
        hours=recurrence.hours,
        minutes=recurrence.minutes,
        week_days=recurrence.week_days,
    )

    first = rules.first_run(safe, now=now)

    assert first.at is not None
    assert first.at >= now
    assert first.skipped_at is None
    assert rules.in_words(safe).startswith("Every ")
