"""How long deployments usually take to settle, and when a passage is taking too long (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from services import percentiles
from services.domain import DeploymentState, Transition

ENOUGH = 3  # passages; with fewer, a general limit is used
GENERAL_LIMIT = timedelta(minutes=3)
LEAST_LIMIT = timedelta(seconds=10)  # nobody worries earlier, however quick it has been


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What earlier passages of one kind took."""

    count: int
    median: timedelta | None  # None when there was none
    limit: timedelta  # longer is unusual

    def worrying(self, elapsed: timedelta) -> bool:
        return elapsed > self.limit


def usual(transitions: Iterable[Transition], kind: str) -> Usual:
    """Of the passages of `kind` that ended Healthy; the limit is their 95th percentile."""
    lengths_ms = sorted(
        (each.ended_at - each.started_at).total_seconds() * 1000
        for each in transitions
        if each.kind == kind
        and each.ended_at is not None
        and each.outcome is DeploymentState.HEALTHY
    )
    if not lengths_ms:
        return Usual(count=0, median=None, limit=GENERAL_LIMIT)
    median = timedelta(milliseconds=percentiles.percentile(lengths_ms, 50))
    if len(lengths_ms) < ENOUGH:
        return Usual(count=len(lengths_ms), median=median, limit=GENERAL_LIMIT)
    high = timedelta(milliseconds=percentiles.percentile(lengths_ms, 95))
    return Usual(count=len(lengths_ms), median=median, limit=max(high, LEAST_LIMIT))


def present(transitions: Iterable[Transition]) -> Transition | None:
    """The passage that has not ended, newest first."""
    return next((each for each in transitions if each.ended_at is None), None)
