"""The search itself: hand out fits, follow the candidates, know when to stop."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Protocol

import numpy as np

from services.domain import AutoMLSettings, MetricGoal, metric_goal
from services.local.automl import candidates
from services.local.automl.candidates import Candidate
from services.local.automl.evaluation import Evaluator
from services.local.automl.jobs import Done, Job
from services.local.automl.pool import Pool
from services.local.automl.recipes import Recipe
from services.local.automl.sampler import Sampler
from services.local.automl.validation import VALIDATION, Validation

log = logging.getLogger(__name__)

POLL_S = 0.25
FREE_ITERATIONS = 20  # Azure AutoML's landmarks; early stopping looks only at what follows
PATIENCE = 10
GRACE_S = 4.0  # for fits under way when the search is over; a new pool takes about as long
STRIKES = 2  # lost processes before a candidate is held responsible


class Listener(Protocol):
    """Who is told about candidates as they start and end."""

    def started(self, iteration: int, recipe: Recipe) -> None: ...

    def finished(self, candidate: Candidate) -> None: ...

    def failed(self, iteration: int, reason: str) -> None: ...

    def canceled(self, iteration: int) -> None: ...

    def poll(self) -> Collection[int]:
        """Iterations that were asked to end. Raises whatever shall end the whole search."""


class Search:
    """Tries recipes until time, patience or the allowed number is used up.

    With a split, a candidate far behind on its first choosing folds is dropped: its
    report stands, its score is estimated. With cross-validation every fold is run, since
    the folds are the report.
    """

    def __init__(
        self,
        settings: AutoMLSettings,
        validation: Validation,
        evaluator: Evaluator,
        pool: Pool,
        members: Path,
        listener: Listener,
        *,
        until_s: Callable[[Sequence[Candidate]], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            members: folder for the fitted members, one pickle per iteration.
            until_s: when to stop, by `clock`, given the candidates finished so far:
                the ensembles after them take longer the slower those are to fit.
        """
        self._settings, self._validation, self._evaluator = settings, validation, evaluator
        self._pool, self._members, self._listener = pool, members, listener
        self._until_s, self._clock = until_s, clock
        self._sign = -1 if metric_goal(settings.primary_metric) is MetricGoal.MINIMIZE else 1
        self._sampler = Sampler(
            settings.task,
            settings.primary_metric,
            onnx=settings.enable_onnx_compatible_models,
            seed=settings.seed,
        )
        self._open: list[Candidate] = []
        self._jobs: dict[Future[Done], tuple[Candidate, int]] = {}
        self._durations: list[float] = []
        self._fits_s: list[float] = []
        self._exhausted = False
        self._over_s = clock()
        self.count = 0
        self.finished: list[Candidate] = []

    def run(self) -> None:
        """Returns when the search is over; what was unfinished then is canceled.

        Fits may still be under way: `settle` before the pool is given others.
        """
        while True:
            self._drop_canceled(self._listener.poll())
            self._hand_out()
            if not self._jobs:
                break
            done, _ = wait(self._jobs, timeout=POLL_S, return_when=FIRST_COMPLETED)
            self._collect(done)
            if self._time_is_up:
                break
        self._abandon()

    @property
    def leader(self) -> Candidate | None:
        """The best candidate that finished every fold."""
        complete = [each for each in self.finished if not each.dropped]
        return max(complete, key=lambda each: self._sign * (each.score or 0.0), default=None)

    @property
    def _time_is_up(self) -> bool:
        return self._clock() >= self._until_s(self.finished)

    # --- handing out ---

    def _hand_out(self) -> None:
        while len(self._jobs) < self._pool.size + 1:
            candidate = next((each for each in self._open if each.waiting), None)
            candidate = candidate or self._opened()
            if candidate is None:
                return
            self._submit(candidate, candidate.waiting.popleft())

    def _opened(self) -> Candidate | None:
        """A new candidate, if one more is allowed and has a chance to finish."""
        if len(self._open) >= self._settings.max_concurrent_iterations or not self._worthwhile():
            return None
        asked = self._sampler.ask()
        if asked is None:
            self._exhausted = True
            return None
        recipe, trial = asked
        parts = candidates.parts_to_fit(self._validation)
        candidate = Candidate(self.count, recipe, trial, parts, self._clock())
        self.count += 1
        self._open.append(candidate)
        self._listener.started(candidate.iteration, recipe)
        return candidate

    def _worthwhile(self) -> bool:
        limit = self._settings.iterations
        if self._exhausted or (limit is not None and self.count >= limit) or self._stalled():
            return False
        usual = statistics.median(self._durations or [0.0])
        return self._clock() + 0.7 * usual < self._until_s(self.finished)

    def _stalled(self) -> bool:
        """Azure AutoML's early stopping: 20 free iterations, then 10 without a better one."""
        leader = self.leader
        if not self._settings.enable_early_stopping or leader is None:
            return False
        after = len(self.finished) - 1 - self.finished.index(leader)
        return len(self.finished) > FREE_ITERATIONS + PATIENCE and after >= PATIENCE

    def _submit(self, candidate: Candidate, part: int) -> None:
        keep = part == candidates.kept_part(self._validation)
        job = Job(candidate.recipe, part, self.member_path(candidate.iteration) if keep else None)
        candidate.running.add(part)
        try:
            self._jobs[self._pool.submit(job)] = candidate, part
        except BrokenProcessPool:
            self._recover([(candidate, part)])

    def member_path(self, iteration: int) -> Path:
        return self._members / f"{iteration}.pkl"

    # --- collecting ---

    def _collect(self, done: Collection[Future[Done]]) -> None:
        lost: list[tuple[Candidate, int]] = []
        for future in done:
            candidate, part = self._jobs.pop(future)
            try:
                answer = future.result()
            except BrokenProcessPool:
                lost.append((candidate, part))
            except Exception as error:  # the learner's own; the others go on
                log.exception("%s could not be fitted", candidate.recipe)
                self._fail(candidate, f"{type(error).__name__}: {error}")
            else:
                self._absorb(candidate, part, answer)
        if lost:
            self._recover(lost)

    def _absorb(self, candidate: Candidate, part: int, done: Done) -> None:
        candidate.absorb(part, done.predictions, done.fit_s)
        self._fits_s.append(done.fit_s)
        if candidate not in self._open:
            return
        if part in self._validation.folds:
            rows = self._validation.held(part)
            candidate.fold_scores[part] = self._evaluator.score(rows, done.predictions)
            self._race(candidate)
        if candidate.idle:
            self._finish(candidate)

    def _race(self, candidate: Candidate) -> None:
        leader = self.leader
        if not self._validation.split or leader is None or candidate.dropped:
            return
        if candidates.falls_behind(candidate, leader, sign=self._sign):
            candidate.dropped = True
            report = VALIDATION in candidate.waiting
            candidate.waiting.clear()
            if report:
                candidate.waiting.append(VALIDATION)

    def _finish(self, candidate: Candidate) -> None:
        self._open.remove(candidate)
        leader = self.leader
        scores = [score for score in candidate.fold_scores.values() if score == score]
        if not scores:
            self._tell_failed(candidate, "Its score is not defined on any fold.")
            return
        if candidate.dropped and leader is not None:
            candidate.score = candidates.estimated(candidate, leader)
        else:
            candidate.score = float(np.mean(scores))
        self._durations.append(self._clock() - candidate.started_s)
        self.finished.append(candidate)
        self._listener.finished(candidate)
        self._tell(candidate, candidate.score)

    def _fail(self, candidate: Candidate, reason: str) -> None:
        if candidate in self._open:
            self._open.remove(candidate)
            candidate.waiting.clear()
            self._tell_failed(candidate, reason)

    def _tell_failed(self, candidate: Candidate, reason: str) -> None:
        self._tell(candidate, None)
        self._listener.failed(candidate.iteration, reason)

    def _tell(self, candidate: Candidate, score: float | None) -> None:
        self._sampler.tell(candidate.recipe, candidate.trial, score, dropped=candidate.dropped)

    # --- ends that were not planned ---

    def _drop_canceled(self, iterations: Collection[int]) -> None:
        for candidate in [each for each in self._open if each.iteration in iterations]:
            self._cancel(candidate)

    def _cancel(self, candidate: Candidate) -> None:
        self._open.remove(candidate)
        candidate.waiting.clear()
        self._tell(candidate, None)
        self._listener.canceled(candidate.iteration)

    def _recover(self, lost: list[tuple[Candidate, int]]) -> None:
        """A process was ended from outside, and the pool with it: start another."""
        lost += self._jobs.values()
        self._jobs.clear()
        self._pool.restart()
        for candidate, part in lost:
            candidate.running.discard(part)
            candidate.waiting.appendleft(part)
        for candidate in {each.iteration: each for each, _ in lost}.values():
            candidate.strikes += 1
            if candidate.strikes >= STRIKES:
                reason = "Its process was ended by the system, probably for want of memory."
                self._fail(candidate, reason)

    def _abandon(self) -> None:
        """Cancel what is unfinished. New processes take seconds to be ready: fits under way
        that will soon end are let, the others are cut off at once."""
        for candidate in list(self._open):
            self._cancel(candidate)
        self._over_s = self._clock()
        if 2 * statistics.median(self._fits_s or [0.0]) > GRACE_S:  # some wait for another
            self._cut_off()

    def settle(self) -> None:
        """The pool is free when this returns."""
        wait(self._jobs, timeout=max(0.0, self._over_s + GRACE_S - self._clock()))
        self._cut_off()

    def _cut_off(self) -> None:
        stubborn = [each for each in self._jobs if not each.done()]
        self._jobs.clear()
        if stubborn:
            self._pool.restart()
