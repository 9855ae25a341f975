"""One AutoML parent run, start to end: prepare, search, combine, explain."""

from __future__ import annotations

import logging
import pickle
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.domain import AutoMLSettings, MetricGoal, RunStatus, metric_goal, split_id
from services.errors import OperationFailedError
from services.local.automl import recipes
from services.local.automl.pool import Pool, processor_count
from services.local.run_journal import RunJournal
from services.local.store import Store

if TYPE_CHECKING:
    from services.local.automl.candidates import Candidate
    from services.local.automl.combination import Combination
    from services.local.automl.preparation import Prepared
    from services.local.automl_recorder import Recorder

log = logging.getLogger(__name__)

SCRATCH = ".work"
POLL_S = 0.25
ENDING_S = 6.0  # choosing ensembles, writing and explaining, on a machine that is busy
ENDING_SHARE = 0.25  # of the timeout, at most
PATIENCE_S = 120.0
REFITTED = 7  # an ensemble's members, at most


class AutoMLRun:
    """Does the work of one queued run, in this process and a pool of others.

    The learning libraries are imported while the pool's processes start and do the same;
    the first child is announced before that.
    """

    def __init__(
        self,
        home: Path,
        store: Store,
        run_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            clock: seconds; the experiment timeout is counted by it.
        """
        self._home, self._store, self._run_id = home, store, run_id
        self._clock = clock
        self._journal = RunJournal(home, store)
        self._scratch = self._journal.folder(run_id) / SCRATCH

    def run(self, settings: AutoMLSettings) -> None:
        """Returns when the parent is settled.

        Raises:
            ServiceError: the run cannot succeed; the message is for the operator.
            SearchCanceledError: it was asked to end.
        """
        deadline_s = self._clock() + 60 * settings.experiment_timeout_minutes
        self._journal.enter(self._run_id, RunStatus.PREPARING)
        first = recipes.portfolio(settings.task, onnx=settings.enable_onnx_compatible_models)[0]
        self._journal.start_child(
            self._run_id, 0, first.name(settings.task), {}, status=RunStatus.PREPARING
        )
        pool = Pool(self._scratch, min(settings.max_concurrent_iterations, processor_count()))
        try:
            self._search(settings, pool, deadline_s)
        finally:
            pool.stop()
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._journal.settle(self._run_id, RunStatus.COMPLETED)

    def _search(self, settings: AutoMLSettings, pool: Pool, deadline_s: float) -> None:
        from services.local.automl.search import Search

        recorder = self._prepared(settings)
        self._journal.enter(self._run_id, RunStatus.RUNNING)
        ending = _Ending(settings, pool.size, recorder.prepared.data.validation.split)
        search = Search(
            settings,
            recorder.prepared.data.validation,
            recorder.prepared.evaluator,
            pool,
            recorder.members,
            recorder,
            until_s=lambda finished: deadline_s - ending.takes_s(finished),
            clock=self._clock,
        )
        search.run()
        if not search.finished:
            raise OperationFailedError(
                "No candidate could be fitted. Read why the child runs failed, or allow more than "
                f"{settings.experiment_timeout_minutes:g} minutes."
            )
        Finale(settings, recorder, pool, search).perform()

    def _prepared(self, settings: AutoMLSettings) -> Recorder:
        from services.local.automl import jobs
        from services.local.automl.preparation import prepare
        from services.local.automl_recorder import Recorder
        from services.local.datasets import LocalDatasets

        datasets = LocalDatasets(self._home, self._store)
        name, version = split_id("dataset", settings.dataset_id)
        frame = datasets.frame(name, version)
        log.info("read %d rows of %s", len(frame), settings.dataset_id)
        prepared = prepare(frame, settings)
        jobs.save(prepared.data, self._scratch)
        for finding in prepared.findings:
            log.info("guardrail %s: %s. %s", finding.result, finding.title, finding.summary)
        recorder = Recorder(self._journal, self._run_id, settings, prepared, self._scratch)
        contract = datasets.contract(name, version, label=settings.label_column_name)
        recorder.describe_parent(frame, contract)
        return recorder


class _Ending:
    """How long a run needs after its search. One candidate is waited for beyond the timeout:
    a machine that is busy should leave a model behind all the same."""

    def __init__(self, settings: AutoMLSettings, pool_size: int, split: bool) -> None:
        timeout_s = 60 * settings.experiment_timeout_minutes
        self._most_s = timeout_s * ENDING_SHARE
        self._patience_s = max(timeout_s, PATIENCE_S)
        self._pool_size = pool_size
        self._refits = split  # with cross-validation every candidate was fitted on all rows

    def takes_s(self, finished: Sequence[Candidate]) -> float:
        if not finished:
            return -self._patience_s
        fits = sorted(each.fit_s / len(each.answers) for each in finished if not each.dropped)
        refits_s = 1.2 * sum(fits[-REFITTED:]) / self._pool_size if self._refits else 0.0
        return min(ENDING_S + refits_s, self._most_s)


class Finale:
    """What follows a search: ensembles, final fits on all rows, the explanation."""

    def __init__(
        self, settings: AutoMLSettings, recorder: Recorder, pool: Pool, search: Any
    ) -> None:
        self._settings, self._recorder, self._pool, self._search = settings, recorder, pool, search
        self._prepared: Prepared = recorder.prepared

    def perform(self) -> None:
        from services.local.automl.combination import STACK, VOTING, Combiner

        combiner = Combiner(self._search.finished, self._prepared)
        leader: Candidate = combiner.entries[0]
        enough = len(combiner.entries) > 1
        wanted = {
            VOTING: self._settings.enable_voting_ensemble and enough,
            STACK: self._settings.enable_stack_ensemble and enough,
        }
        begun = [self._begin(algorithm) for algorithm in (VOTING, STACK) if wanted[algorithm]]
        voting = combiner.voting() if begun else None
        made = []
        if voting is not None and wanted[VOTING]:
            made.append(voting)
        if voting is not None and wanted[STACK]:
            made.append(combiner.stacking(voting.members))
        fitted = self._refitted([leader, *(voting.members if voting else ())])
        models = {leader.iteration: self._leave_single(leader, fitted)}
        scores = {leader.iteration: leader.score or 0.0}
        for iteration, combination in zip(begun, made, strict=True):
            models[iteration] = self._leave_ensemble(iteration, combination, leader, fitted)
            scores[iteration] = combination.score
        if self._settings.model_explainability:
            self._explain(models, scores)

    def _begin(self, algorithm: str) -> int:
        iteration: int = self._search.count
        self._search.count += 1
        self._recorder.ensemble_started(iteration, algorithm)
        return iteration

    def _refitted(self, candidates: Iterable[Candidate]) -> dict[int, Any]:
        """The candidates' members, fitted on all rows, by iteration."""
        unique = {each.iteration: each for each in candidates}
        self._search.settle()  # what was under way has had the time it took to choose them
        if self._prepared.data.validation.split:
            self._refit(unique.values())
        return {iteration: self._member(iteration) for iteration in unique}

    def _refit(self, candidates: Iterable[Candidate]) -> None:
        """Replace the members that had not seen the validation rows."""
        from services.local.automl.jobs import Job
        from services.local.automl.validation import EVERYTHING

        waiting = {
            self._pool.submit(
                Job(each.recipe, EVERYTHING, self._search.member_path(each.iteration))
            )
            for each in candidates
        }
        while waiting:
            self._recorder.poll()
            done, waiting = wait(waiting, timeout=POLL_S)
            for future in done:
                future.result()

    def _member(self, iteration: int) -> Any:
        return pickle.loads(self._search.member_path(iteration).read_bytes())

    def _leave_single(self, leader: Candidate, fitted: dict[int, Any]) -> Any:
        from services.local.automl import assembly

        data = self._prepared.data
        model = assembly.single(fitted[leader.iteration], data.task, data.classes)
        self._recorder.leave_model(leader.iteration, model)
        return model

    def _leave_ensemble(
        self,
        iteration: int,
        combination: Combination,
        leader: Candidate,
        fitted: dict[int, Any],
    ) -> Any:
        members = [fitted[each.iteration] for each in combination.members]
        model = combination.model(members, self._prepared)
        self._recorder.leave_model(iteration, model)
        self._recorder.ensemble_finished(iteration, combination, leader)
        return model

    def _explain(self, models: dict[int, Any], scores: dict[int, float]) -> None:
        """Say which features the best child listens to. It was chosen; this cannot fail it."""
        from services.local.automl.explanation import explain

        smaller = metric_goal(self._settings.primary_metric) is MetricGoal.MINIMIZE
        best = (min if smaller else max)(scores, key=scores.__getitem__)
        self._recorder.poll()
        data, features = self._prepared.data, self._prepared.features
        importance = explain(
            models[best], data.task, data.matrix, features, seed=self._settings.seed
        )
        self._recorder.explained(best, importance)
        log.info("explained iteration %d, R² %.3f", best, importance.fidelity)
