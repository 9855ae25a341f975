"""Failed runs on Azure that are submitted again, and again while they fail.

Azure does not know that one run repeats another; that is kept in `Retries`, and so is that
an attempt is about to be submitted. Whoever watches the workspace calls `go_on` again and
again: it finds the attempt whose submission nobody heard the answer of, and makes the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from services import retries as rules
from services.access import acting_as
from services.domain import PipelineRun, RunStatus
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    ServiceError,
    UnavailableError,
)
from services.retries import SOURCE, KeptRetry, Retries

log = logging.getLogger(__name__)

WATCHER = "watcher"  # who did it, in the audit log
LOOK_EVERY = timedelta(minutes=1)  # at an attempt that is under way; each look is a request
HEARD_WITHIN = timedelta(minutes=1)  # until a run that was submitted is listed
CLOCKS_DIFFER = timedelta(minutes=1)  # Azure's and ours


class Submitting(Protocol):
    """What retrying needs of the workspace's pipelines."""

    def run_of(self, run_id: str) -> PipelineRun:
        """One request."""

    def runs_of(self, pipeline_id: str) -> Sequence[PipelineRun]:
        """One request."""

    def again(self, kept: KeptRetry) -> PipelineRun:
        """Submit it with the parameters it had. Two requests.

        Raises:
            ConflictError: its pipeline is disabled.
        """


class PipelineRetries:
    def __init__(
        self, pipelines: Submitting, kept: Retries, *, clock: Callable[[], datetime]
    ) -> None:
        self._pipelines, self._kept, self._clock = pipelines, kept, clock
        self._looked: dict[str, datetime] = {}  # run id → when its newest attempt was asked for

    def begin(self, run_id: str, *, at_most: int) -> PipelineRun:
        """Three requests."""
        rules.check(at_most)
        run = self._linked(self._pipelines.run_of(run_id))
        if run.status is not RunStatus.FAILED:
            raise ConflictError(f"Only a failed run can be retried; this one is {run.status}.")
        if not run.pipeline_id:
            raise InvalidRequestError(
                "This run was submitted from code, not of a published pipeline; submit it there."
            )
        kept = self._kept.begin(run, at_most=at_most)
        try:
            return self._submit(kept)
        except UnavailableError:
            raise  # nobody knows whether it was heard; `go_on` finds out
        except ServiceError as error:
            self._kept.end(kept.run_id, str(error))
            raise

    def shown(self, runs: Sequence[PipelineRun]) -> tuple[PipelineRun, ...]:
        """Each with what it repeats; an attempt belongs to the schedule of the first run."""
        attempts = self._kept.attempts()
        return tuple(
            replace(
                run,
                retry_of=attempts[run.id].retry_of,
                schedule_id=run.schedule_id or attempts[run.id].schedule_id,
            )
            if run.id in attempts
            else run
            for run in runs
        )

    def go_on(self) -> None:
        """Try again what failed again; leave what completed, was canceled, or failed too often."""
        for kept in self._kept.open():
            try:
                with acting_as(WATCHER):
                    self._decide(kept)
            except (UnavailableError, AccessDeniedError) as error:
                log.warning("retrying run %s is put off: %s", kept.run_id, error)
            except ServiceError as error:
                with acting_as(WATCHER):
                    self._end(kept, str(error))

    def _decide(self, kept: KeptRetry) -> None:
        now = self._clock()
        if kept.submitting_at is not None:
            if abs(now - kept.submitting_at) > HEARD_WITHIN:
                self._find(kept, kept.submitting_at)
            return
        looked_at = self._looked.get(kept.run_id)
        if looked_at is not None and abs(now - looked_at) < LOOK_EVERY:
            return
        self._looked[kept.run_id] = now
        made = len(kept.attempts)
        status = self._pipelines.run_of(kept.attempts[-1]).status
        if not status.settled:
            return
        if status is not RunStatus.FAILED:
            self._end(kept, f"attempt {made} was {status}")
        elif made >= kept.at_most:
            self._end(kept, f"all {made} attempts failed")
        else:
            self._try_again(kept)

    def _find(self, kept: KeptRetry, submitting_at: datetime) -> None:
        """The attempt whose submission nobody heard the answer of; if there is none, another."""
        known = self._kept.attempts()
        found = [
            run
            for run in self._pipelines.runs_of(kept.pipeline_id)
            if run.run_source == SOURCE
            and run.id not in known
            and run.created_at > submitting_at - CLOCKS_DIFFER
            and run.experiment == kept.experiment
            and run.parameters == kept.parameters
        ]
        if found:
            self._kept.attempted(kept.run_id, min(found, key=lambda run: run.created_at).id)
        else:
            self._try_again(kept)

    def _try_again(self, kept: KeptRetry) -> None:
        claimed = self._kept.claim(kept)
        if claimed is not None:
            attempt = self._submit(claimed)
            number = len(kept.attempts) + 1
            log.info("run %s failed: attempt %d is %s", kept.run_id, number, attempt.id)

    def _submit(self, kept: KeptRetry) -> PipelineRun:
        attempt = self._pipelines.again(kept)
        self._kept.attempted(kept.run_id, attempt.id)
        return self._linked(attempt)

    def _linked(self, run: PipelineRun) -> PipelineRun:
        return self.shown([run])[0]

    def _end(self, kept: KeptRetry, outcome: str) -> None:
        self._kept.end(kept.run_id, outcome)
        log.info("retrying run %s ended: %s", kept.run_id, outcome)
