"""What is known of a schedule before its last change, where the back end tells only when that was.

Each change made from here notes when the schedule had been changed before, as it was found.
As long as one note leads to the next, nobody else has changed it in between, and its past is
known; where the chain breaks, it was changed elsewhere, and of earlier times nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from services.domain import AssetStatus, Schedule, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a schedule that was made from here; times are those of the back end."""

    schedule_id: str
    was_changed_at: datetime  # as it was found
    changed_at: datetime
    was_active: bool
    same_recurrence: bool  # as afterwards


class Changes(Protocol):
    """Where they are kept."""

    def record(self, change: Change) -> None:
        """Note one."""

    def all(self) -> Mapping[str, Sequence[Change]]:
        """Schedule id → its changes, newest first."""


def with_past(schedule: Schedule, changes: Iterable[Change]) -> Schedule:
    """It with the stretches of time in which it was Active with the recurrence it has."""
    at = schedule.changed_at or schedule.created_at
    if at is None:
        return schedule
    stretches = []
    if schedule.status is AssetStatus.ACTIVE:
        stretches.append(Stretch(start=at, end=None))
    leading_to = {change.changed_at: change for change in changes}
    while (change := leading_to.get(at)) is not None:
        if not change.same_recurrence or change.was_changed_at >= at:
            break
        if change.was_active:
            stretches.append(Stretch(start=change.was_changed_at, end=at))
        at = change.was_changed_at
    return replace(schedule, known_since=at, stretches=tuple(reversed(stretches)))
