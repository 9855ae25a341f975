"""What load tests of a deployment are held against, and how far they may go.

Thresholds decide a verdict and change nothing. Guard rails are in force while a test
runs: the most requests it may send, and the share of failures that ends it.
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from services.apache_bench import REQUEST_LIMIT
from services.domain import LoadTestPlan
from services.errors import InvalidRequestError

BUDGET_HERE = 100_000  # requests of one test, while nobody has decided otherwise
BUDGET_ELSEWHERE = 10_000  # of a deployment somebody pays for
STOP_AT_FAILURE_PCT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits a load test keeps or breaks; None: not judged by this."""

    p95_ms: float | None = None  # at most
    failure_pct: float | None = None  # at most
    requests_per_s: float | None = None  # at least

    @property
    def given(self) -> bool:
        return self != Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRails:
    """What keeps one load test from doing harm."""

    request_budget: int = BUDGET_HERE
    stop_at_failure_pct: float | None = STOP_AT_FAILURE_PCT  # None: switched off


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTestRule:
    """Everything decided about the load tests of one deployment."""

    deployment: str
    thresholds: Thresholds = field(default_factory=Thresholds)
    guard_rails: GuardRails = field(default_factory=GuardRails)
    baseline_id: str | None = None  # the pinned load test; it may be gone by now


class LoadTestRules(ABC):
    """Decisions about load tests, one per deployment. Kept by the dashboard."""

    @abstractmethod
    def list(self) -> tuple[LoadTestRule, ...]:
        """Every deployment something was decided about, by name."""

    @abstractmethod
    def get(self, deployment: str) -> LoadTestRule:
        """What is in force for `deployment`; the defaults where nothing was decided."""

    @abstractmethod
    def set_thresholds(self, deployment: str, thresholds: Thresholds) -> LoadTestRule:
        """Judge its load tests by these from now on, those that have ended too.

        Raises:
            InvalidRequestError: a limit nothing could keep or break.
        """

    @abstractmethod
    def set_guard_rails(self, deployment: str, guard_rails: GuardRails) -> LoadTestRule:
        """Bound the load tests that begin from now on.

        Raises:
            InvalidRequestError: a budget or share that bounds nothing.
        """

    @abstractmethod
    def pin(self, deployment: str, load_test_id: str) -> LoadTestRule:
        """Hold its load tests against this one from now on."""

    @abstractmethod
    def unpin(self, deployment: str) -> LoadTestRule:
        """Hold them against none. Unpinning what is not pinned succeeds."""


def check_thresholds(thresholds: Thresholds) -> None:
    """Refuse limits nothing could keep or break.

    Raises:
        InvalidRequestError: which one, and its bounds.
    """
    for what, value in (
        ("p95", thresholds.p95_ms),
        ("requests per second", thresholds.requests_per_s),
    ):
        if value is not None and not 0 < value < 1e9:
            raise InvalidRequestError(f"The limit of {what} is more than 0.")
    if thresholds.failure_pct is not None and not 0 <= thresholds.failure_pct < 100:
        raise InvalidRequestError("The limit of failures is 0 to less than 100 %.")


def check_guard_rails(guard_rails: GuardRails) -> None:
    """Refuse guard rails that bound nothing.

    Raises:
        InvalidRequestError: which one, and its bounds.
    """
    if not 1 <= guard_rails.request_budget <= REQUEST_LIMIT:
        raise InvalidRequestError(f"The budget of a load test is 1 to {REQUEST_LIMIT:,} requests.")
    share = guard_rails.stop_at_failure_pct
    if share is not None and not 0 < share <= 100:
        raise InvalidRequestError("The share of failures that ends a test is above 0, to 100 %.")


def loopback(uri: str | None) -> bool:
    """Whether requests to this address stay on this machine."""
    host = urlsplit(uri or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_confirmed(deployment: str, uri: str | None, confirmed: str) -> None:
    """Let requests leave this machine only where the deployment's name was typed.

    Raises:
        InvalidRequestError: it was not, and what to type.
    """
    if not loopback(uri) and confirmed != deployment:
        raise InvalidRequestError(
            f"“{deployment}” is not on this machine: type its name to confirm that it is to be "
            "loaded."
        )


def guarded(plan: LoadTestPlan, guard_rails: GuardRails) -> LoadTestPlan:
    """The plan as it may be carried out.

    Raises:
        InvalidRequestError: it asks for more requests than the budget allows.
    """
    budget = guard_rails.request_budget
    if plan.requests is not None and plan.requests > budget:
        raise InvalidRequestError(
            f"{plan.requests:,} requests are more than the {budget:,} that one load test of "
            f"“{plan.deployment}” may send. Ask for fewer, or have an admin raise the budget "
            "under Rules."
        )
    return replace(plan, request_budget=budget, stop_at_failure_pct=guard_rails.stop_at_failure_pct)
