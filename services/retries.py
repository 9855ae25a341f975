"""Failed pipeline runs that are submitted again, and where those of another workspace are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.domain import PipelineRun
from services.errors import InvalidRequestError

MOST = 10
SOURCE = "Retry"


def check(at_most: int) -> None:
    """
    Raises:
        InvalidRequestError: nobody should retry so often.
    """
    if not 1 <= at_most <= MOST:
        raise InvalidRequestError(f"A run is retried between 1 and {MOST} times.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRetry:
    """A failed run of a workspace elsewhere that is submitted again while it fails."""

    run_id: str  # that failed first
    pipeline_id: str
    experiment: str
    schedule_id: str | None
    at_most: int  # attempts, earlier ones among them
    parameters: Mapping[str, str] = field(default_factory=dict)
    attempts: tuple[str, ...] = ()  # run ids, oldest first
    submitting_at: datetime | None = None  # an attempt that nobody knows to have been heard
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a run repeats."""

    retry_of: str
    schedule_id: str | None


class Retries(Protocol):
    """A run is retried by one at a time. Every method is atomic."""

    def attempts(self) -> Mapping[str, Attempt]:
        """Run id → what it repeats, of every attempt."""

    def open(self) -> tuple[KeptRetry, ...]:
        """Those that are tried again when the newest attempt fails."""

    def begin(self, run: PipelineRun, *, at_most: int) -> KeptRetry:
        """The first attempt of a failed run is about to be submitted.

        Args:
            run: the failed run, or an attempt of it.

        Raises:
            ConflictError: it is being retried already.
        """

    def claim(self, kept: KeptRetry) -> KeptRetry | None:
        """Another attempt is about to be submitted, by this caller; None: by somebody else."""

    def attempted(self, run_id: str, attempt_id: str) -> None:
        """It was."""

    def end(self, run_id: str, outcome: str) -> None:
        """It is not tried again, and why."""
