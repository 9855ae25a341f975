"""Due times of a schedule where nobody records them: each is held against the runs (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services import schedule_ledger
from services.domain import AssetStatus, Firing, PipelineRun, Schedule
from services.schedule_ledger import Due, Outcome

LOOKED_BACK = timedelta(days=7)
NO_RUN = "It was due, and no run of it followed."


def firings(
    schedules: Sequence[Schedule], runs: Sequence[PipelineRun], *, limit: int, now: datetime
) -> Mapping[str, tuple[Firing, ...]]:
    """The last due time of every Active schedule, with how often in a row it was missed.

    Args:
        runs: newest first; of earlier times nothing is known once there are `limit`.
        now: when the runs were asked for.
    """
    known_since = now - LOOKED_BACK
    if len(runs) >= limit:
        known_since = max(known_since, runs[-1].created_at)
    found = {}
    for schedule in schedules:
        if schedule.status is not AssetStatus.ACTIVE:
            continue
        dues = schedule_ledger.of(schedule, (), runs, exact=False, since=known_since, until=now)
        if dues:
            found[schedule.id] = (_firing(dues),)
    return found


def _firing(dues: Sequence[Due]) -> Firing:
    last = dues[-1]
    if last.outcome is not Outcome.MISSED:
        late = last.late or timedelta(0)
        return Firing(due_at=last.at, fired_at=last.at + late, run_id=last.run_id)
    missed = 0
    for due in reversed(dues):
        if due.outcome is not Outcome.MISSED:
            break
        missed += due.count
    return Firing(due_at=last.at, fired_at=None, run_id=None, missed_count=missed, reason=NO_RUN)
