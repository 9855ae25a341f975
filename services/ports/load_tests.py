"""Load tests."""

from __future__ import annotations

from abc import ABC, abstractmethod

from services.domain import (
    LoadTest,
    LoadTestPlan,
)


class LoadTests(ABC):
    """Apache Benchmark runs and imported reports."""

    @abstractmethod
    def list(self, deployment: str | None = None) -> tuple[LoadTest, ...]:
        """Newest first."""

    @abstractmethod
    def get(self, load_test_id: str) -> LoadTest:
        """The load test as it is at this moment.

        Raises:
            NotFoundError: no load test has this id.
        """

    @abstractmethod
    def begin(self, plan: LoadTestPlan, *, confirmed: str = "") -> LoadTest:
        """Start sending; returns before the first request.

        Args:
            confirmed: the deployment's name as the operator typed it; needed where requests
                leave this machine.

        Raises:
            NotFoundError: the plan's deployment does not exist.
            InvalidRequestError: the plan is impossible or over its budget, was not confirmed,
                or ``ab`` is not installed.
            ConflictError: another load test of this deployment has not ended.
        """

    @abstractmethod
    def stop(self, load_test_id: str) -> None:
        """End it now, as Stopped, keeping what was measured. A settled one stays as it is."""

    @abstractmethod
    def import_report(self, name: str, text: str) -> LoadTest:
        """Keep an ``ab`` report made elsewhere.

        Raises:
            InvalidRequestError: the text is no report of a finished ``ab`` run.
        """

    @abstractmethod
    def report_text(self, load_test_id: str) -> str:
        """What ``ab`` printed, without its log of requests and without secrets.

        Empty when it printed nothing, or has not ended.

        Raises:
            NotFoundError: no load test has this id.
        """

    @abstractmethod
    def delete(self, load_test_id: str) -> None:
        """Forget a settled load test. Deleting what is already gone succeeds.

        Raises:
            ConflictError: it is still running.
        """
