"""How many requests at a time a deployment holds, found by loading it in steps.

The number doubles until a step breaks a threshold, or brings hardly more throughput
than the one before; then the gap is halved until it is closed. What a step means is
told from its load test alone, so a search that was interrupted goes on from there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services import load_test_findings as findings
from services import load_test_verdict, percentiles
from services.apache_bench import CONCURRENCY_LIMIT
from services.domain import LoadTest, LoadTestState
from services.errors import InvalidRequestError
from services.load_test_rules import GuardRails, Thresholds
from services.load_test_verdict import Outcome

LEAST_GROWTH = 0.5  # of the throughput that so many more at a time would bring
ROUNDS = 12  # requests of each client in a step, at least
ATTEMPTS = 2  # at a step that was interrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """What to search, and within which bounds."""

    deployment: str
    payload: str = field(repr=False)
    p95_ms: float | None = None  # a step above this breaks
    failure_pct: float | None = 1.0
    request_budget: int = 5_000  # of all steps together
    step_requests: int = 100  # at least, in each step
    most: int = 64  # requests at a time

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(p95_ms=self.p95_ms, failure_pct=self.failure_pct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One load test of a search."""

    concurrency: int
    load_test_id: str
    requests_per_s: float | None
    p95_ms: float | None  # None: not supported by its sample
    failure_share: float | None
    broken: str = ""  # why this many do not hold; empty: they do

    @property
    def held(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacitySearch:
    """One search, under way or done."""

    id: str
    plan: CapacityPlan
    state: LoadTestState
    created_at: datetime
    ended_at: datetime | None
    reason: str  # why it ended
    steps: tuple[Step, ...]  # that were measured, in order
    spent: int  # requests so far

    @property
    def last_good(self) -> Step | None:
        """The step with the most requests at a time that held."""
        return _last_good(self.steps)


class CapacitySearches(ABC):
    """Searches for the number of requests at a time a deployment holds."""

    @abstractmethod
    def list(self, deployment: str | None = None) -> tuple[CapacitySearch, ...]:
        """Newest first."""

    @abstractmethod
    def get(self, search_id: str) -> CapacitySearch:
        """Raises NotFoundError: no search has this id."""

    @abstractmethod
    def begin(self, plan: CapacityPlan, *, confirmed: str = "") -> CapacitySearch:
        """Start searching in the background; returns before the first step.

        Args:
            confirmed: as for `LoadTests.begin`.

        Raises:
            NotFoundError: the plan's deployment does not exist.
            InvalidRequestError: the plan is impossible, over its budget or not confirmed.
            ConflictError: another search of this deployment has not ended.
        """

    @abstractmethod
    def stop(self, search_id: str) -> None:
        """End it with the step under way, as Stopped. A settled one stays as it is."""


def check_plan(plan: CapacityPlan, guard_rails: GuardRails) -> None:
    """Refuse a search that could not tell anything, or may not be made.

    Raises:
        InvalidRequestError: what to change.
    """
    least = percentiles.needed_count(95)
    if plan.step_requests < least:
        raise InvalidRequestError(f"A step has at least {least} requests: fewer tell no p95.")
    if not 1 <= plan.most <= CONCURRENCY_LIMIT:
        raise InvalidRequestError(f"A search goes up to 1 to {CONCURRENCY_LIMIT} at a time.")
    if plan.request_budget < plan.step_requests:
        raise InvalidRequestError("The budget of a search is at least one step's requests.")
    if plan.request_budget > guard_rails.request_budget:
        raise InvalidRequestError(
            f"The whole search counts as one load test, and one may send "
            f"{guard_rails.request_budget:,} requests to “{plan.deployment}”. Lower its budget, or "
            "have an admin raise that one under Rules."
        )


def steps(tests: Sequence[LoadTest], plan: CapacityPlan) -> tuple[Step, ...]:
    """What the load tests of a search say, in the order in which they ran."""
    found: list[Step] = []
    for test in tests:
        if not interrupted(test) and test.state.settled:
            found.append(_step(test, plan, _last_good(found)))
    return tuple(found)


def interrupted(test: LoadTest) -> bool:
    """A test that ended without measuring anything: it says nothing about the deployment."""
    return test.state.settled and test.report is None


def next_concurrency(done: Sequence[Step], plan: CapacityPlan) -> int | None:
    """How many at a time to try next; None: the answer is known."""
    good = max((step.concurrency for step in done if step.held), default=0)
    bad = min((step.concurrency for step in done if not step.held), default=None)
    if bad is None:
        following = max(1, min(2 * good, plan.most))
        return following if following > good else None
    return None if bad - good <= 1 else (good + bad) // 2


def requests_of(concurrency: int, plan: CapacityPlan) -> int:
    """How many requests a step sends."""
    return max(plan.step_requests, ROUNDS * concurrency)


def conclusion(done: Sequence[Step]) -> str:
    """What a finished search found, in a sentence."""
    good = _last_good(done)
    bad = min((each for each in done if not each.held), key=_concurrency, default=None)
    if good is None:
        return f"Not even one at a time holds: {bad.broken}." if bad else "Nothing was measured."
    if bad is None:
        return f"Nothing broke up to {good.concurrency} at a time."
    return f"{good.concurrency} at a time hold. At {bad.concurrency}: {bad.broken}."


def so_far(done: Sequence[Step]) -> str:
    """What an unfinished search knows."""
    good = _last_good(done)
    return f"{good.concurrency} at a time hold" if good else "No step has held yet"


def _concurrency(step: Step) -> int:
    return step.concurrency


def _last_good(done: Sequence[Step]) -> Step | None:
    return max((step for step in done if step.held), key=_concurrency, default=None)


def _step(test: LoadTest, plan: CapacityPlan, before: Step | None) -> Step:
    assert test.report is not None and test.plan is not None  # it was not interrupted
    report, concurrency = test.report, test.plan.concurrency
    supported = not findings.unsupported(95, report)
    return Step(
        concurrency=concurrency,
        load_test_id=test.id,
        requests_per_s=report.requests_per_s,
        p95_ms=report.percentiles_ms.get(95) if supported else None,
        failure_share=findings.failure_share(test),
        broken=_broken(test, plan) or _saturated(concurrency, report.requests_per_s, before),
    )


def _broken(test: LoadTest, plan: CapacityPlan) -> str:
    if test.state is not LoadTestState.COMPLETED:
        return (test.error or "it was stopped").rstrip(".")
    verdict = load_test_verdict.judge(test, plan.thresholds)
    if verdict is None or verdict.outcome is Outcome.PASS:
        return ""
    return "; ".join(verdict.reasons)


def _saturated(concurrency: int, rate: float, before: Step | None) -> str:
    """Whether so many more at a time brought too little more."""
    if before is None or not before.requests_per_s or concurrency <= before.concurrency:
        return ""
    growth = rate / before.requests_per_s - 1
    ideal = concurrency / before.concurrency - 1
    if growth >= LEAST_GROWTH * ideal:
        return ""
    return (
        f"it is saturated, {rate:,.1f} requests/s after {before.requests_per_s:,.1f} at "
        f"{before.concurrency}"
    )
