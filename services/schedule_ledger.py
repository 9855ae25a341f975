"""What became of each time a schedule was due (pure): on time, late, missed or refused."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise, takewhile

from services import recurrence as rules
from services.domain import AssetStatus, Firing, PipelineRun, Recurrence, Schedule, Stretch

PUNCTUAL = timedelta(minutes=1)  # a firing within it came on time
EARLY = timedelta(minutes=1)  # the clocks of two machines may differ by so much
PATIENCE = timedelta(minutes=5)  # until a time without a run counts as missed
LISTED = 500  # missed times in a row that are listed one by one; the first stands for the rest
FAR = timedelta(days=40)  # before a firing nobody looks for what it collapsed
JUST_AFTER = timedelta(seconds=1)  # whether a change itself submits a run is Azure's affair
_INSTANT = timedelta(microseconds=1)


class Outcome(StrEnum):
    PUNCTUAL = "on time"
    LATE = "late"
    MISSED = "missed"
    REFUSED = "not submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One time a schedule was due."""

    at: datetime
    outcome: Outcome
    run_id: str | None = None
    late: timedelta | None = None
    count: int = 1  # missed times it stands for, itself and earlier ones
    reason: str = ""  # why nothing was submitted


def of(
    schedule: Schedule,
    firings: Sequence[Firing],
    runs: Sequence[PipelineRun],
    *,
    exact: bool,
    since: datetime,
    until: datetime,
) -> tuple[Due, ...]:
    """Its due times from `since` to `until`, oldest first.

    Args:
        firings: its newest ones; used where they are exact.
        runs: its newest ones, whatever their order.
        exact: the back end records due times, those that were missed among them. Otherwise
            each expected time is held against the runs.
    """
    if exact:
        found = from_firings(schedule, firings, until=until)
    elif schedule.irregular:
        return ()  # nobody knows when it should have fired
    else:
        found = from_runs(schedule, runs, since=since, until=until)
    return tuple(due for due in found if due.at >= since)


def from_firings(
    schedule: Schedule, firings: Iterable[Firing], *, until: datetime
) -> tuple[Due, ...]:
    """As recorded when it happened, and what should have fired since then."""
    found: list[Due] = []
    for firing in sorted(firings, key=lambda each: each.due_at):
        after = found[-1].at if found else None
        found += _collapsed(schedule, firing, after=after)
        found.append(_fired(firing))
    found += _overdue(schedule, until=until)
    return tuple(found)


def from_runs(
    schedule: Schedule, runs: Iterable[PipelineRun], *, since: datetime, until: datetime
) -> tuple[Due, ...]:
    """Each expected time with the first run submitted from then on and before the next one.

    A run that comes later than the next expected time counts for that one: the earlier was
    missed. Nothing is expected while the schedule was not Active, or where that is not known.
    """
    ours = sorted(
        (run for run in runs if run.schedule_id == schedule.id and run.retry_of is None),
        key=lambda run: run.created_at,
    )
    found: list[Due] = []
    stretches = _stretches(schedule, ours, since=since)
    for stretch, following in pairwise([*stretches, None]):
        assert stretch is not None  # only the last one is, and it leads no pair
        begun = stretch.start - EARLY
        over = following.start - EARLY if following is not None else None
        own = [
            run for run in ours if begun <= run.created_at and (not over or run.created_at < over)
        ]
        found += _held_against(schedule, stretch, own, since=since, until=until)
    return tuple(found)


def known_since(schedule: Schedule) -> datetime | None:
    """From when on it is known at which times it should have fired, where nobody recorded it."""
    return schedule.known_since or schedule.changed_at or schedule.created_at


def in_step(recurrence: Recurrence) -> bool:
    """Whether its times follow from it alone, whenever it was saved."""
    return recurrence.start_time is not None or bool(recurrence.hours and recurrence.interval == 1)


def remarkable(found: Iterable[Due]) -> tuple[Due, ...]:
    """What went otherwise than planned."""
    return tuple(due for due in found if due.outcome is not Outcome.PUNCTUAL)


def _stretches(
    schedule: Schedule, ours: Sequence[PipelineRun], *, since: datetime
) -> Sequence[Stretch]:
    """When it was Active with its recurrence, as far as is known.

    One that is told neither when to start nor, every single time, at which hour counts from
    whenever it was submitted last: of that, only what comes after its newest run is known.
    """
    stretches: Sequence[Stretch] = schedule.stretches
    if schedule.known_since is None and schedule.status is AssetStatus.ACTIVE:
        stretches = [Stretch(start=known_since(schedule) or since - JUST_AFTER, end=None)]
    if in_step(schedule.recurrence):
        return stretches
    newest = max((run.created_at for run in ours), default=since)
    return [replace(each, start=max(each.start, newest)) for each in stretches if each.end is None]


def _held_against(
    schedule: Schedule,
    stretch: Stretch,
    runs: Sequence[PipelineRun],
    *,
    since: datetime,
    until: datetime,
) -> Iterator[Due]:
    """Its due times of one stretch, with `runs` oldest first."""
    until = min(until, stretch.end) if stretch.end is not None else until
    after = max(since, stretch.start + JUST_AFTER) - _INSTANT
    expected = rules.fire_times(schedule.recurrence, anchored_at=stretch.start, after=after)
    times = list(takewhile(lambda at: at <= until, expected))
    by_time: dict[int, PipelineRun] = {}
    for run in runs:
        position = bisect_right(times, run.created_at + EARLY) - 1
        if position >= 0:
            by_time.setdefault(position, run)
    for position, at in enumerate(times):
        if position in by_time:
            yield _submitted(at, by_time[position].created_at, by_time[position].id, PATIENCE)
        elif until - at > PATIENCE:
            yield Due(at=at, outcome=Outcome.MISSED)


def _fired(firing: Firing) -> Due:
    if firing.run_id is None or firing.fired_at is None:
        return Due(at=firing.due_at, outcome=Outcome.REFUSED, reason=firing.reason)
    return _submitted(firing.due_at, firing.fired_at, firing.run_id, PUNCTUAL)


def _submitted(due_at: datetime, at: datetime, run_id: str, punctual: timedelta) -> Due:
    late = at - due_at
    if late <= punctual:
        return Due(at=due_at, outcome=Outcome.PUNCTUAL, run_id=run_id)
    return Due(at=due_at, outcome=Outcome.LATE, run_id=run_id, late=late)


def _collapsed(schedule: Schedule, firing: Firing, *, after: datetime | None) -> list[Due]:
    """The times before a firing that were missed: the last `missed_count` before it."""
    if not firing.missed_count:
        return []
    times = _before(schedule.recurrence, schedule, firing.due_at, after=after)
    last = deque(times, maxlen=min(firing.missed_count, LISTED))
    if not last:  # the recurrence was another one then
        last.append(firing.due_at - _INSTANT)
    return _missed(last, firing.missed_count)


def _before(
    recurrence: Recurrence, schedule: Schedule, at: datetime, *, after: datetime | None
) -> Iterator[datetime]:
    anchored_at = schedule.created_at or after or at
    start = after or max(anchored_at - _INSTANT, at - FAR)
    times = rules.fire_times(recurrence, anchored_at=anchored_at, after=start)
    return takewhile(lambda each: each < at, times)


def _overdue(schedule: Schedule, *, until: datetime) -> list[Due]:
    """Due already, and nobody looked: the next firing will find them missed."""
    next_at = schedule.next_fire_at
    if next_at is None or until - next_at <= PATIENCE:
        return []
    times = rules.fire_times(schedule.recurrence, anchored_at=next_at, after=next_at - _INSTANT)
    passed = takewhile(lambda at: until - at > PATIENCE, times)
    count, last = 0, deque[datetime](maxlen=LISTED)
    for at in passed:
        count += 1
        last.append(at)
    return _missed(last, count) if last else []


def _missed(times: Sequence[datetime], count: int) -> list[Due]:
    rest = count - len(times)  # earlier than all that are listed
    return [
        Due(at=at, outcome=Outcome.MISSED, count=1 if position else 1 + rest)
        for position, at in enumerate(times)
    ]
