"""Schedules by day: what became of their runs and of their due times. Pure but for `ledger`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from dashboard import formats, reads, session
from dashboard.charts_pipelines import group
from services import schedule_ledger
from services.domain import Capability, PipelineRun, Schedule
from services.schedule_ledger import Due, Outcome

DAYS = 30
READ_AT_ONCE = 200  # runs of one schedule
MISSED, REFUSED = "Missed", "Not submitted"
LINES = 12  # runs of one day that a hover names

# Worst first: a day is as good as the worst of it.
_ORDER = ("Failed", REFUSED, MISSED, "Canceled", "Running", "Not started", "Completed")
_OUTCOMES = {Outcome.MISSED: MISSED, Outcome.REFUSED: REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One schedule on one day."""

    schedule: str
    day: date
    group: str
    lines: tuple[str, ...]  # one for each run or missed time, earliest first
    run_id: str = ""  # of the worst run; empty where there was none


def ledger(schedule: Schedule, runs: Sequence[PipelineRun], *, now: datetime) -> tuple[Due, ...]:
    """What became of its due times in the last `DAYS` days, as exactly as the back end knows."""
    exact = session.workspace().can(Capability.SCHEDULE_LEDGER)
    since = now - timedelta(days=DAYS)
    if not exact and len(runs) >= READ_AT_ONCE:  # of earlier times nothing is known
        since = max(since, min(run.created_at for run in runs))
    firings = reads.firings(schedule.id) if exact else ()
    return schedule_ledger.of(schedule, firings, runs, exact=exact, since=since, until=now)


def days(now: datetime, zone: tzinfo) -> tuple[date, ...]:
    """The last `DAYS` calendar days where the viewer is, today last."""
    today = now.astimezone(zone).date()
    return tuple(today - timedelta(days=back) for back in reversed(range(DAYS)))


def cells(
    schedules: Sequence[Schedule],
    runs: Sequence[PipelineRun],
    ledgers: Mapping[str, Sequence[Due]],
    *,
    now: datetime,
    zone: tzinfo,
) -> tuple[Cell, ...]:
    """A cell for each schedule and day on which something ran or should have."""
    shown = set(days(now, zone))
    found: dict[tuple[str, date], list[tuple[datetime, str, str, str]]] = {}
    known = {each.id for each in schedules}
    late = {
        due.run_id: _late(due)
        for each in ledgers.values()
        for due in each
        if due.outcome is Outcome.LATE
    }
    for run in runs:
        if run.schedule_id not in known:
            continue
        there = run.created_at.astimezone(zone)
        words = f"{there:%H:%M} {run.status}{late.get(run.id, '')}"
        key = (run.schedule_id or "", there.date())
        found.setdefault(key, []).append((run.created_at, group(run.status), words, run.id))
    for schedule_id, dues in ledgers.items():
        for due in dues:
            if due.outcome not in _OUTCOMES:
                continue
            there = due.at.astimezone(zone)
            times = f", {due.count:,} times" if due.count > 1 else ""
            words = f"{there:%H:%M} {due.outcome}{times}"
            key = (schedule_id, there.date())
            found.setdefault(key, []).append((due.at, _OUTCOMES[due.outcome], words, ""))
    return tuple(
        _cell(schedule_id, day, sorted(events))
        for (schedule_id, day), events in found.items()
        if day in shown
    )


def _late(due: Due) -> str:
    """``, 40 min late``."""
    return f", {formats.duration(due.late)} late"


def _cell(schedule: str, day: date, events: list[tuple[datetime, str, str, str]]) -> Cell:
    worst = min(events, key=lambda event: _ORDER.index(event[1]))
    run_ids = [event[3] for event in sorted(events, key=lambda e: _ORDER.index(e[1])) if event[3]]
    lines = [event[2] for event in events[:LINES]]
    if len(events) > LINES:
        lines.append(f"and {len(events) - LINES} more")
    return Cell(
        schedule=schedule,
        day=day,
        group=worst[1],
        lines=tuple(lines),
        run_id=run_ids[0] if run_ids else "",
    )
