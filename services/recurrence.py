"""When a schedule fires next: Azure ML's recurrence rules as pure functions.

Two kinds of recurrence, as on Azure. A *plain* one has no hours, minutes or week days:
it fires at its start time and every interval after it. One *with slots* fires at the
given times of day, never at the start time itself.

Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence``, for the rules and the first
run; Azure Logic Apps' "Recurrence" trigger, which fires Azure ML's schedules, for start
times in the past, for hours or minutes left out, and for daylight-saving changes.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count as counting
from itertools import islice
from zoneinfo import ZoneInfo

from services.domain import Frequency, Recurrence, WeekDay
from services.errors import InvalidRequestError, ServiceError
from services.time_zones import azure_name

_STEPS = {Frequency.MINUTE: timedelta(minutes=1), Frequency.HOUR: timedelta(hours=1)}
_DAYS = {Frequency.DAY: 1, Frequency.WEEK: 7}
_WEEK = tuple(WeekDay)


def has_slots(recurrence: Recurrence) -> bool:
    """It names times or days, so it fires at those and not at its start time."""
    return bool(recurrence.hours or recurrence.minutes or recurrence.week_days)


def problems(recurrence: Recurrence) -> tuple[str, ...]:
    """Every rule of Azure ML this recurrence breaks, as sentences; empty when it is valid.

    Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence.validate``.
    """
    return tuple(_broken(recurrence))


def check(recurrence: Recurrence) -> None:
    """Refuse what Azure ML would refuse.

    Raises:
        InvalidRequestError: the first broken rule.
    """
    for problem in problems(recurrence):
        raise InvalidRequestError(problem)


def _broken(recurrence: Recurrence) -> Iterator[str]:
    frequency = recurrence.frequency
    if frequency not in tuple(Frequency):
        yield f"“{frequency}” is no frequency; choose Minute, Hour, Day, Week or Month."
    if type(recurrence.interval) is not int or recurrence.interval < 1:
        yield "The interval is a whole number of 1 or more."
    daily = frequency in (Frequency.DAY, Frequency.WEEK)
    if recurrence.hours and not daily:
        yield f"Hours can be chosen for Day and Week only, not for {frequency}."
    if recurrence.minutes and not daily:
        yield f"Minutes can be chosen for Day and Week only, not for {frequency}."
    if recurrence.week_days and frequency is not Frequency.WEEK:
        yield f"Week days can be chosen for Week only, not for {frequency}."
    if not all(0 <= hour <= 23 for hour in recurrence.hours):
        yield "Hours lie between 0 and 23."
    if not all(0 <= minute <= 59 for minute in recurrence.minutes):
        yield "Minutes lie between 0 and 59."
    if not all(day in _WEEK for day in recurrence.week_days):
        yield "Week days are Monday to Sunday, spelled in full."
    if recurrence.start_time is not None and recurrence.start_time.tzinfo is not None:
        yield "The start time is written without an offset; the time zone says where it is local."
    try:
        azure_name(recurrence.time_zone)
    except ServiceError as error:
        yield str(error)


def fire_times(
    recurrence: Recurrence, *, anchored_at: datetime, after: datetime
) -> Iterator[datetime]:
    """The instants it fires at, strictly after `after`, earliest first, without end.

    Days, weeks and months keep the local time of day across daylight-saving changes: a time
    the clocks skip fires as much later, a time they repeat fires once, the first time.
    Minutes and hours are counted in elapsed time. A month without the start time's day
    fires on its last day. Every second week is counted from the Monday of the start time's.

    Args:
        recurrence: A valid one.
        anchored_at: When it was saved: the start of one without a start time, which fires then.
        after: An instant.

    Returns:
        UTC instants.
    """
    zone = ZoneInfo(recurrence.time_zone)
    last = after
    if recurrence.start_time is None:
        first = anchored_at.astimezone(UTC)
        start = anchored_at.astimezone(zone).replace(tzinfo=None)
        if first > after:
            yield first
            last = first
    else:
        start = recurrence.start_time
        first = _instant(start, zone)
    if recurrence.frequency in _STEPS:
        slots = _elapsed(_STEPS[recurrence.frequency] * recurrence.interval, first, after)
    else:
        slots = _calendar(recurrence, start, zone, after)
    try:
        for fires_at in slots:
            if fires_at > last:
                yield fires_at
                last = fires_at
    except OverflowError:  # the calendar ends with the year 9999
        return


def next_fires(
    recurrence: Recurrence, *, anchored_at: datetime, after: datetime, count: int = 10
) -> tuple[datetime, ...]:
    """The next `count` of `fire_times`; fewer only where the calendar ends."""
    return tuple(islice(fire_times(recurrence, anchored_at=anchored_at, after=after), count))


def collapse(
    recurrence: Recurrence, *, anchored_at: datetime, after: datetime, until: datetime
) -> tuple[datetime | None, int]:
    """The latest of `fire_times` up to and including `until`, and how many came before it."""
    latest, earlier = None, -1
    for fires_at in fire_times(recurrence, anchored_at=anchored_at, after=after):
        if fires_at > until:
            break
        latest, earlier = fires_at, earlier + 1
    return latest, max(0, earlier)


def _elapsed(step: timedelta, first: datetime, after: datetime) -> Iterator[datetime]:
    passed = max(0, (after - first) // step)
    return (first + step * n for n in counting(passed))


def _calendar(
    recurrence: Recurrence, start: datetime, zone: ZoneInfo, after: datetime
) -> Iterator[datetime]:
    """Slots on calendar days from about `after` on; the first few may not be after it."""
    slotted = has_slots(recurrence)
    times = _times_of_day(recurrence, start) if slotted else [start.time()]
    for day in _days(recurrence, start.date(), after.astimezone(zone).date()):
        local = (datetime.combine(day, each) for each in times)
        wanted = (each for each in local if (each > start if slotted else each >= start))
        yield from sorted({_instant(each, zone) for each in wanted})


def _times_of_day(recurrence: Recurrence, start: datetime) -> list[time]:
    hours = recurrence.hours or (start.hour,)
    minutes = recurrence.minutes or (start.minute,)
    return sorted({time(hour, minute) for hour in hours for minute in minutes})


def _days(recurrence: Recurrence, first: date, near: date) -> Iterator[date]:
    """The calendar days it fires on, from a little before `near` on."""
    if recurrence.frequency is Frequency.MONTH:
        behind = (near.year - first.year) * 12 + near.month - first.month
        for n in counting(max(0, behind // recurrence.interval - 1)):
            yield _months_later(first, n * recurrence.interval)
        return
    step = _DAYS[recurrence.frequency] * recurrence.interval
    wanted = sorted({_WEEK.index(day) for day in recurrence.week_days})
    if wanted:
        first -= timedelta(days=first.weekday())
    for n in counting(max(0, (near - first).days // step - 1)):
        day = first + timedelta(days=n * step)
        yield from (day + timedelta(days=each) for each in wanted) if wanted else (day,)


def _months_later(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year > date.max.year:
        raise OverflowError
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    # fold=0 counts a skipped time with the offset before the change, so it lies as much
    # later on the clock, and takes the first of a repeated one.
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """What saving a recurrence leads to first."""

    at: datetime | None  # None: never, the calendar ends before
    at_once: bool  # because it has no start time
    skipped_at: datetime | None  # a slot that will not fire, because the start time equals it


def first_run(recurrence: Recurrence, *, now: datetime) -> FirstRun:
    """When a recurrence saved `now` fires first, and which slot it leaves out.

    Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence``, ``start_time``.
    """
    just_before = now - timedelta(microseconds=1)
    first = next_fires(recurrence, anchored_at=now, after=just_before, count=1)
    return FirstRun(
        at=first[0] if first else None,
        at_once=recurrence.start_time is None,
        skipped_at=_skipped(recurrence, now),
    )


def _skipped(recurrence: Recurrence, now: datetime) -> datetime | None:
    start = recurrence.start_time
    if start is None or not has_slots(recurrence) or start.second or start.microsecond:
        return None
    at = _instant(start, ZoneInfo(recurrence.time_zone))
    days = recurrence.week_days or _WEEK
    on_slot = start.time() in _times_of_day(recurrence, start) and _WEEK[start.weekday()] in days
    return at if on_slot and at > now else None


def safe_start(recurrence: Recurrence, *, now: datetime) -> datetime:
    """A start time with which saving makes no run at once and no slot is left out.

    Returns:
        Naive, local to the recurrence's time zone, on a whole minute: the next full hour
        but one for a plain recurrence, the last full minute for one with slots, whose
        slots alone decide.
    """
    local = now.astimezone(ZoneInfo(recurrence.time_zone)).replace(tzinfo=None)
    minute = local.replace(second=0, microsecond=0)
    if has_slots(recurrence):
        return minute
    return minute.replace(minute=0) + timedelta(hours=2)


def in_words(recurrence: Recurrence) -> str:
    """The recurrence as an operator would say it: “Every day at 06:30 (Europe/Berlin)”."""
    unit = recurrence.frequency.lower()
    every = f"Every {unit}" if recurrence.interval == 1 else f"Every {recurrence.interval} {unit}s"
    if recurrence.frequency in _STEPS:
        return every
    return f"{every}{_on_days(recurrence)}{_at_times(recurrence)} ({recurrence.time_zone})"


def _on_days(recurrence: Recurrence) -> str:
    start = recurrence.start_time
    if recurrence.week_days:
        return " on " + _days_spelled(sorted({_WEEK.index(day) for day in recurrence.week_days}))
    if start is None or recurrence.frequency is Frequency.DAY:
        return ""
    if recurrence.frequency is Frequency.WEEK:
        return f" on {_WEEK[start.weekday()]}"
    return f" on day {start.day}" + (" (or the last)" if start.day > 28 else "")


def _at_times(recurrence: Recurrence) -> str:
    start, hours, minutes = recurrence.start_time, recurrence.hours, recurrence.minutes
    if start is None and not (hours and minutes):
        if hours:
            return f" in {_counted('hour', hours)}, at the minute it is saved"
        if minutes:
            return f" at {_counted('minute', minutes)} of the hour it is saved"
        return " at the time it is saved"
    times = _times_of_day(recurrence, start or datetime.min)
    if len(times) <= _TIMES_SPELLED_OUT:
        return " at " + _listed([f"{each:%H:%M}" for each in times])
    minutes = tuple(sorted({each.minute for each in times}))
    hours = tuple(sorted({each.hour for each in times}))
    whole_day = len(hours) == 24
    of = "every hour" if whole_day else _counted("hour", hours)
    return f" at {_counted('minute', minutes)} of {of}"


_TIMES_SPELLED_OUT = 6


def _counted(unit: str, values: tuple[int, ...]) -> str:
    ordered = sorted(set(values))
    if len(ordered) == 1:
        return f"{unit} {ordered[0]}"
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{unit}s {ordered[0]} to {ordered[-1]}"
    return f"{unit}s {_listed([str(each) for each in ordered])}"


def _days_spelled(days: Sequence[int]) -> str:
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_WEEK[days[0]]} to {_WEEK[days[-1]]}"
    return _listed([_WEEK[day] for day in days])


def _listed(items: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))
