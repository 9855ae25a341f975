"""The two ensembles of a run: their members, weights, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.domain import MetricGoal, metric_goal
from services.local.automl import assembly, ensembles
from services.local.automl.arrays import Floats, Rows
from services.local.automl.candidates import Candidate
from services.local.automl.evaluation import Report
from services.local.automl.preparation import Prepared
from services.local.automl.validation import VALIDATION

CANDIDATE_LIMIT = 20  # the best so many are considered

VOTING, STACK = "VotingEnsemble", "StackEnsemble"


@dataclass(frozen=True, slots=True)
class Combination:
    """An ensemble chosen on out-of-fold answers; its members may not be refitted yet."""

    algorithm: str
    members: Sequence[Candidate]
    weights: Sequence[float]  # of the members, summing to 1
    final: Any  # a stack's last step
    score: float
    report: Report

    def model(self, fitted: Sequence[Any], prepared: Prepared) -> Any:
        """The estimator over the encoded matrix, of members fitted anew in the same order."""
        data = prepared.data
        named = [
            (f"iteration_{candidate.iteration}", member)
            for candidate, member in zip(self.members, fitted, strict=True)
        ]
        if self.final is None:
            return assembly.voting(named, self.weights, data.task, data.classes)
        return assembly.stacking(named, self.final, data.task, data.classes)


class Combiner:
    """Combines the finished candidates of one run."""

    def __init__(self, finished: Sequence[Candidate], prepared: Prepared) -> None:
        self._prepared = prepared
        self._data = prepared.data
        validation = prepared.data.validation
        metric = prepared.evaluator.primary_metric
        smaller = metric_goal(metric) is MetricGoal.MINIMIZE
        complete = [each for each in finished if not each.dropped]
        sign = 1 if smaller else -1
        complete.sort(key=lambda each: (sign * (each.score or 0.0), each.iteration))
        self.entries = complete[:CANDIDATE_LIMIT]
        rows = np.flatnonzero(validation.assignment >= 0)
        self._truth = self._data.target[rows]
        self._folds: list[Rows] = [
            np.searchsorted(rows, validation.held(fold)) for fold in validation.folds
        ]

    def voting(self) -> Combination:
        answers = self._out_of_fold(self.entries)
        weights = ensembles.vote(answers, self._truth, self._data.task)
        unseen = ensembles.voted_unseen(answers, self._truth, self._data.task, self._folds)
        chosen = [i for i in np.argsort(-weights, kind="stable") if weights[i] > 0]
        members = [self.entries[i] for i in chosen]
        shares = weights[chosen]
        held = ensembles.mixed(self._on_validation(members), shares) if self._split else None
        return self._judged(VOTING, members, shares.tolist(), None, unseen, held)

    def stacking(self, members: Sequence[Candidate]) -> Combination:
        task, class_count = self._data.task, len(self._data.classes)
        answers = self._out_of_fold(members)
        final = ensembles.stack(answers, self._truth, task)
        unseen = ensembles.stacked_unseen(answers, self._truth, task, self._folds)
        held = (
            ensembles.stacked_answer(final, self._on_validation(members), task, class_count)
            if self._split
            else None
        )
        shares = _shares(final, len(members))
        return self._judged(STACK, members, shares, final, unseen, held)

    @property
    def _split(self) -> bool:
        return self._data.validation.split

    def _out_of_fold(self, members: Sequence[Candidate]) -> list[Floats]:
        return [each.out_of_fold(self._data.validation) for each in members]

    def _on_validation(self, members: Sequence[Candidate]) -> list[Floats]:
        return [each.answers[VALIDATION] for each in members]

    def _judged(
        self,
        algorithm: str,
        members: Sequence[Candidate],
        weights: Sequence[float],
        final: Any,
        unseen: Floats,
        held: Floats | None,
    ) -> Combination:
        validation, evaluator = self._data.validation, self._prepared.evaluator
        parts = [
            (validation.held(fold), unseen[positions])
            for fold, positions in zip(validation.folds, self._folds, strict=True)
        ]
        score = float(np.nanmean([evaluator.score(rows, answer) for rows, answer in parts]))
        reported = parts if held is None else [(validation.held(VALIDATION), held)]
        return Combination(algorithm, members, weights, final, score, evaluator.report(reported))


def _shares(final: Any, member_count: int) -> list[float]:
    """How much of the last step's input weight each member has."""
    linear = final[-1] if hasattr(final, "steps") else final
    weight = np.abs(np.atleast_2d(linear.coef_)).sum(axis=0).reshape(member_count, -1).sum(axis=1)
    total = weight.sum()
    return (weight / total if total else np.full(member_count, 1 / member_count)).tolist()
