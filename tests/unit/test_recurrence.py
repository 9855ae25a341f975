"""When a recurrence fires: tables worked out by hand, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services import recurrence as rules
from services.domain import Frequency, Recurrence, WeekDay
from services.errors import InvalidRequestError

MON, WED, SUN = WeekDay.MONDAY, WeekDay.WEDNESDAY, WeekDay.SUNDAY


def every(frequency: Frequency, interval: int = 1, **rest: object) -> Recurrence:
    return Recurrence(frequency=frequency, interval=interval, **rest)  # type: ignore[arg-type]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def fires(
    recurrence: Recurrence, after: str, count: int, *, anchored: str | None = None
) -> list[str]:
    """Fire times as short UTC text."""
    times = rules.next_fires(
        recurrence, anchored_at=utc(anchored or after), after=utc(after), count=count
    )
    return [f"{each:%Y-%m-%d %H:%M}" for each in times]


TABLES = {
    "every 24 hours counts elapsed time through the change to summer time": (
        every(
            Frequency.HOUR,
            24,
            start_time=local("2024-03-29T06:00"),
            time_zone="Europe/Berlin",
        ),
        "2024-03-28 00:00",
        ["2024-03-29 05:00", "2024-03-30 05:00", "2024-03-31 05:00", "2024-04-01 05:00"],
    ),
    "every day keeps the local time of day through the change to summer time": (
        every(Frequency.DAY, start_time=local("2024-03-29T06:00"), time_zone="Europe/Berlin"),
        "2024-03-28 00:00",
        ["2024-03-29 05:00", "2024-03-30 05:00", "2024-03-31 04:00", "2024-04-01 04:00"],
    ),
    # Source: Azure Logic Apps' documentation of its Recurrence trigger, "Recurrence for
    # daylight saving time and standard time", Central Time 2019.
    "01:30 Central, spring 2019": (
        every(
            Frequency.DAY,
            hours=(1,),
            minutes=(30,),
            start_time=local("2019-03-01T00:00"),
            time_zone="America/Chicago",
        ),
        "2019-03-09 00:00",
        ["2019-03-09 07:30", "2019-03-10 07:30", "2019-03-11 06:30"],
    ),
    "02:30 Central is skipped in spring 2019, and runs at 03:30": (
        every(
            Frequency.DAY,
            hours=(2,),
            minutes=(30,),
            start_time=local("2019-03-01T00:00"),
            time_zone="America/Chicago",
        ),
        "2019-03-09 00:00",
        ["2019-03-09 08:30", "2019-03-10 08:30", "2019-03-11 07:30"],
    ),
    "01:30 Central comes twice in autumn 2019, and runs once": (
        every(
            Frequency.DAY,
            hours=(1,),
            minutes=(30,),
            start_time=local("2019-11-01T00:00"),
            time_zone="America/Chicago",
        ),
        "2019-11-02 00:00",
        ["2019-11-02 06:30", "2019-11-03 06:30", "2019-11-04 07:30"],
    ),
    "02:30 Central, autumn 2019": (
        every(
            Frequency.DAY,
            hours=(2,),
            minutes=(30,),
            start_time=local("2019-11-01T00:00"),
            time_zone="America/Chicago",
        ),
        "2019-11-02 00:00",
        ["2019-11-02 07:30", "2019-11-03 08:30", "2019-11-04 08:30"],
    ),
    "two times that the skipped hour makes one fire once": (
        every(
            Frequency.DAY,
            hours=(2, 3),
            minutes=(30,),
            start_time=local("2024-03-30T00:00"),
            time_zone="Europe/Berlin",
        ),
        "2024-03-30 12:00",
        ["2024-03-31 01:30", "2024-04-01 00:30", "2024-04-01 01:30"],
    ),
    "times that the skipped hour puts out of order fire in order": (
        every(
            Frequency.DAY,
            hours=(2, 3),
            minutes=(15, 45),
            start_time=local("2024-03-30T00:00"),
            time_zone="Europe/Berlin",
        ),
        "2024-03-30 12:00",
        ["2024-03-31 01:15", "2024-03-31 01:45", "2024-04-01 00:15", "2024-04-01 00:45"],
    ),
    "a change of half an hour": (
        every(
            Frequency.DAY,
            hours=(2,),
            minutes=(15,),
            start_time=local("2024-10-01T00:00"),
            time_zone="Australia/Lord_Howe",
        ),
        "2024-10-05 00:00",  # clocks go from 02:00 (+10:30) to 02:30 (+11) on 6 October
        ["2024-10-05 15:45", "2024-10-06 15:15"],
    ),
    "south of the equator": (
        every(
            Frequency.WEEK,
            week_days=(SUN,),
            hours=(9,),
            minutes=(0,),
            start_time=local("2024-03-25T00:00"),
            time_zone="Australia/Sydney",
        ),
        "2024-03-25 00:00",
        ["2024-03-30 22:00", "2024-04-06 23:00", "2024-04-13 23:00"],
    ),
    "every 30 minutes through a repeated hour": (
        every(
            Frequency.MINUTE,
            30,
            start_time=local("2024-10-27T01:30"),
            time_zone="Europe/Berlin",
        ),
        "2024-10-26 12:00",
        [
            "2024-10-26 23:30",
            "2024-10-27 00:00",
            "2024-10-27 00:30",
            "2024-10-27 01:00",
            "2024-10-27 01:30",
            "2024-10-27 02:00",
        ],
    ),
    "every other week on Monday and Wednesday, counted from the start time's week": (
        every(
            Frequency.WEEK,
            2,
            week_days=(WED, MON),
            hours=(18,),
            minutes=(30,),
            start_time=local("2024-05-01T00:00"),  # a Wednesday
        ),
        "2024-04-30 00:00",
        ["2024-05-01 18:30", "2024-05-13 18:30", "2024-05-15 18:30", "2024-05-27 18:30"],
    ),
    "every week without days: the start time's day": (
        every(Frequency.WEEK, start_time=local("2024-05-01T09:00")),
        "2024-05-02 00:00",
        ["2024-05-08 09:00", "2024-05-15 09:00"],
    ),
    "a month too short for the day fires on its last day": (
        every(Frequency.MONTH, start_time=local("2024-01-31T09:00")),
        "2024-01-01 00:00",
        ["2024-01-31 09:00", "2024-02-29 09:00", "2024-03-31 09:00", "2024-04-30 09:00"],
    ),
    "every quarter, across the year": (
        every(Frequency.MONTH, 3, start_time=local("2023-11-15T09:00")),
        "2024-01-01 00:00",
        ["2024-02-15 09:00", "2024-05-15 09:00", "2024-08-15 09:00", "2024-11-15 09:00"],
    ),
    "a leap day": (
        every(Frequency.MONTH, 12, start_time=local("2024-02-29T00:00")),
        "2024-01-01 00:00",
        ["2024-02-29 00:00", "2025-02-28 00:00", "2026-02-28 00:00", "2027-02-28 00:00"],
    ),
    # Source: Azure Logic Apps, the same documentation, "past start time and no schedule".
    "a start time in the past counts, but past slots do not fire": (
        every(Frequency.DAY, 2, start_time=local("2017-09-07T14:00")),
        "2017-09-08 13:00",
        ["2017-09-09 14:00", "2017-09-11 14:00", "2017-09-13 14:00"],
    ),
    # Source: azureml-pipeline-core 1.62.0, the examples of ScheduleRecurrence.
    "every hour on the 55th minute": (
        every(Frequency.HOUR, start_time=local("2020-01-13T12:55")),
        "2020-03-01 08:20",
        ["2020-03-01 08:55", "2020-03-01 09:55"],
    ),
    "the first day of every month at 9": (
        every(Frequency.MONTH, start_time=local("2019-11-01T09:00")),
        "2019-10-20 00:00",
        ["2019-11-01 09:00", "2019-12-01 09:00", "2020-01-01 09:00"],
    ),
    # Source: Azure Logic Apps, its example of 4 and 18 September 2020.
    "slots fire no sooner than the start time": (
        every(
            Frequency.WEEK,
            week_days=(MON,),
            hours=(10, 12, 14),
            minutes=(30,),
            start_time=local("2020-09-18T08:00"),
            time_zone="America/Los_Angeles",
        ),
        "2020-09-04 00:00",
        ["2020-09-21 17:30", "2020-09-21 19:30", "2020-09-21 21:30", "2020-09-28 17:30"],
    ),
    "hours without minutes take the start time's minute": (
        every(Frequency.DAY, hours=(8, 16), start_time=local("2024-05-01T00:25")),
        "2024-05-01 00:00",
        ["2024-05-01 08:25", "2024-05-01 16:25", "2024-05-02 08:25"],
    ),
    "minutes without hours take the start time's hour": (
        every(Frequency.DAY, minutes=(0, 30), start_time=local("2024-05-01T07:25")),
        "2024-05-01 00:00",
        ["2024-05-01 07:30", "2024-05-02 07:00", "2024-05-02 07:30"],
    ),
    "named twice fires once": (
        every(Frequency.DAY, hours=(8, 8), minutes=(0, 0), start_time=local("2024-05-01T00:00")),
        "2024-05-01 00:00",
        ["2024-05-01 08:00", "2024-05-02 08:00"],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_fire_times_equal_the_hand_worked_ones(name):
    recurrence, after, expected = TABLES[name]

    assert fires(recurrence, after, len(expected)) == expected


def test_without_a_start_time_it_fires_when_it_is_saved():
    plain = every(Frequency.HOUR, 24)

    assert fires(plain, "2024-05-01 09:29", 3, anchored="2024-05-01 09:30") == [
        "2024-05-01 09:30",
        "2024-05-02 09:30",
        "2024-05-03 09:30",
    ]


def test_without_a_start_time_slots_follow_the_first_run():
    slots = every(Frequency.DAY, hours=(8,), minutes=(0,))

    assert fires(slots, "2024-05-01 09:29", 2, anchored="2024-05-01 09:30") == [
        "2024-05-01 09:30",
        "2024-05-02 08:00",
    ]


def test_saving_in_a_repeated_hour_fires_at_once_and_not_an_hour_before():
    daily = every(Frequency.DAY, time_zone="Europe/Berlin")
    second_time_half_past_two = "2024-10-27 01:30"

    assert fires(daily, "2024-10-27 01:29", 2, anchored=second_time_half_past_two) == [
        "2024-10-27 01:30",
        "2024-10-28 01:30",
    ]


def test_a_start_time_equal_to_a_slot_leaves_that_slot_out():
    slots = every(Frequency.DAY, hours=(8,), minutes=(0,), start_time=local("2024-05-02T08:00"))

    assert fires(slots, "2024-05-01 00:00", 1) == ["2024-05-03 08:00"]
    assert rules.first_run(slots, now=utc("2024-05-01 00:00")).skipped_at == utc("2024-05-02 08:00")


def test_a_plain_recurrence_fires_at_its_start_time():
    plain = every(Frequency.DAY, start_time=local("2024-05-02T08:00"))
    first = rules.first_run(plain, now=utc("2024-05-01 00:00"))

    assert (first.at, first.at_once, first.skipped_at) == (utc("2024-05-02 08:00"), False, None)


def test_without_a_start_time_the_first_run_is_at_once():
    now = utc("2024-05-01 00:00")

    first = rules.first_run(every(Frequency.WEEK, week_days=(MON,)), now=now)

    assert (first.at, first.at_once) == (now, True)


def test_a_start_time_on_another_week_day_leaves_nothing_out():
    slots = every(
        Frequency.WEEK,
        week_days=(MON,),
        hours=(8,),
        minutes=(0,),
        start_time=local("2024-05-01T08:00"),  # a Wednesday
    )

    assert rules.first_run(slots, now=utc("2024-04-30 00:00")).skipped_at is None


@pytest.mark.parametrize(
    "recurrence",
    [
        every(Frequency.MINUTE, 5),
        every(Frequency.HOUR, 24, time_zone="Asia/Kolkata"),
        every(Frequency.MONTH),
        every(Frequency.DAY, hours=tuple(range(24)), minutes=tuple(range(60))),
        every(Frequency.WEEK, week_days=(WED,), hours=(9,), minutes=(30,)),
    ],
)
def test_the_safe_start_time_makes_no_run_now_and_leaves_no_slot_out(recurrence):
    now = utc("2024-05-01 09:30:00")

    start = rules.safe_start(recurrence, now=now)
    first = rules.first_run(
        Recurrence(
            frequency=recurrence.frequency,
            interval=recurrence.interval,
            start_time=start,
            time_zone=recurrence.time_zone,
            hours=recurrence.hours,
            minutes=recurrence.minutes,
            week_days=recurrence.week_days,
        ),
        now=now,
    )

    assert first.at is not None and first.at > now
    assert not first.at_once and first.skipped_at is None


def test_firings_that_were_missed_collapse_into_the_latest():
    hourly = every(Frequency.HOUR, start_time=local("2024-05-01T00:00"))

    latest, earlier = rules.collapse(
        hourly,
        anchored_at=utc("2024-05-01 00:00"),
        after=utc("2024-05-01 03:00"),
        until=utc("2024-05-01 09:59"),
    )

    assert (latest, earlier) == (utc("2024-05-01 09:00"), 5)


def test_nothing_due_collapses_into_nothing():
    hourly = every(Frequency.HOUR, start_time=local("2024-05-01T00:00"))
    at = utc("2024-05-01 03:00")

    due = rules.collapse(hourly, anchored_at=at, after=at, until=utc("2024-05-01 03:59"))

    assert due == (None, 0)


def test_an_interval_beyond_the_calendar_fires_once_and_ends():
    rare = every(Frequency.MONTH, 999_999, start_time=local("2024-05-02T00:00"))

    assert fires(rare, "2024-05-01 00:00", 10) == ["2024-05-02 00:00"]


BROKEN = {
    "The interval": every(Frequency.DAY, 0),
    "Hours can be chosen for Day and Week only": every(Frequency.HOUR, hours=(1,)),
    "Minutes can be chosen for Day and Week only": every(Frequency.MONTH, minutes=(1,)),
    "Week days can be chosen for Week only": every(Frequency.DAY, week_days=(MON,)),
    "Hours lie between 0 and 23": every(Frequency.DAY, hours=(24,)),
    "Minutes lie between 0 and 59": every(Frequency.WEEK, minutes=(-1,)),
    "Week days are Monday to Sunday": every(Frequency.WEEK, week_days=("Mon",)),
    "is no frequency": every("Year"),  # type: ignore[arg-type]
    "without an offset": every(Frequency.DAY, start_time=utc("2024-05-01 00:00")),
    "“Europe/Berlin” keeps the same time": every(Frequency.DAY, time_zone="Europe/Rome"),
    "no name for the time zone “Mars/Base”": every(Frequency.DAY, time_zone="Mars/Base"),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_broken_rule_is_refused_with_its_sentence(sentence):
    with pytest.raises(InvalidRequestError, match=sentence):
        rules.check(BROKEN[sentence])


def test_all_broken_rules_are_named_together():
    wrong = every(Frequency.MONTH, 0, hours=(1,), minutes=(99,), week_days=(MON,))

    assert len(rules.problems(wrong)) == 5


WORDS = {
    "Every 15 minutes": every(Frequency.MINUTE, 15),
    "Every hour": every(Frequency.HOUR),
    "Every 24 hours": every(Frequency.HOUR, 24),
    "Every day at 09:05 (UTC)": every(Frequency.DAY, start_time=local("2024-05-01T09:05")),
    "Every 2 weeks on Monday and Wednesday at 18:30 (UTC)": every(
        Frequency.WEEK, 2, week_days=(WED, MON), hours=(18,), minutes=(30,)
    ),
    "Every week on Monday to Friday at 08:00 (UTC)": every(
        Frequency.WEEK, week_days=tuple(WeekDay)[:5], hours=(8,), minutes=(0,)
    ),
    "Every week on Wednesday at 09:00 (UTC)": every(
        Frequency.WEEK, start_time=local("2024-05-01T09:00")
    ),
    "Every day at 06:30, 12:30 and 18:30 (Europe/Berlin)": every(
        Frequency.DAY, hours=(6, 12, 18), minutes=(30,), time_zone="Europe/Berlin"
    ),
    "Every day at minutes 0, 15, 30 and 45 of hours 8 to 17 (UTC)": every(
        Frequency.DAY, hours=tuple(range(8, 18)), minutes=(45, 30, 15, 0)
    ),
    "Every day at minute 15 of every hour (UTC)": every(
        Frequency.DAY, hours=tuple(range(24)), minutes=(15,)
    ),
    "Every day in hours 8 and 16, at the minute it is saved (UTC)": every(
        Frequency.DAY, hours=(8, 16)
    ),
    "Every 3 months on day 15 at 09:00 (UTC)": every(
        Frequency.MONTH, 3, start_time=local("2024-05-15T09:00")
    ),
    "Every month on day 31 (or the last) at 09:00 (UTC)": every(
        Frequency.MONTH, start_time=local("2024-01-31T09:00")
    ),
    "Every month at the time it is saved (UTC)": every(Frequency.MONTH),
}


@pytest.mark.parametrize("words", WORDS)
def test_a_recurrence_reads_as_an_operator_would_say_it(words):
    assert rules.in_words(WORDS[words]) == words
