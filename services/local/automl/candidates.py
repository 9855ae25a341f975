"""One candidate on its way: which fits it still needs, and what they said."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.local.automl.arrays import Floats
from services.local.automl.recipes import Recipe
from services.local.automl.validation import EVERYTHING, VALIDATION, Validation

MARGIN = 2.0  # spreads of the leader's folds


@dataclass(slots=True)
class Candidate:
    """A recipe being tried. `score` is what candidates are ranked by, once it is known."""

    iteration: int
    recipe: Recipe
    trial: Any  # the sampler's handle
    waiting: deque[int]  # parts not handed out yet
    started_s: float  # monotonic
    running: set[int] = field(default_factory=set)
    answers: dict[int, Floats] = field(default_factory=dict)  # by part
    fold_scores: dict[int, float] = field(default_factory=dict)  # in the metric's own direction
    fit_s: float = 0.0
    strikes: int = 0  # how often its process was lost
    dropped: bool = False  # too far behind on the folds it finished
    score: float | None = None

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.running

    def absorb(self, part: int, answer: Floats, fit_s: float) -> None:
        self.running.discard(part)
        self.answers[part] = answer
        self.fit_s += fit_s

    def out_of_fold(self, validation: Validation) -> Floats:
        """Its answers for every row that has a fold, in row order."""
        return in_row_order([self.answers[fold] for fold in validation.folds], validation)


def in_row_order(answers: Sequence[Floats], validation: Validation) -> Floats:
    """Answers per fold, put back to where their rows are among all rows with a fold."""
    rows = np.concatenate([validation.held(fold) for fold in validation.folds])
    return np.asarray(np.concatenate(list(answers))[np.argsort(rows, kind="stable")])


def parts_to_fit(validation: Validation) -> deque[int]:
    """What a candidate is fitted for, in order: with a split the report comes first."""
    if validation.split:
        return deque([VALIDATION, *validation.folds])
    return deque([*validation.folds, EVERYTHING])


def kept_part(validation: Validation) -> int:
    """The fit whose model a child keeps."""
    return VALIDATION if validation.split else EVERYTHING


def falls_behind(candidate: Candidate, leader: Candidate, *, sign: int) -> bool:
    """Whether the folds so far make catching up unlikely.

    Folds differ from each other far more than good candidates do, so both are compared
    on the same folds. The margin shrinks with every fold, and is in proportion to how
    much the leader's own folds differ: on the bank data it starts at about 0.003 of AUC.

    Args:
        sign: 1 if a larger score is better, −1 if a smaller one is.
    """
    shared = sorted(candidate.fold_scores.keys() & leader.fold_scores.keys())
    if not shared:
        return False
    gap = sign * float(np.mean([leader.fold_scores[i] - candidate.fold_scores[i] for i in shared]))
    spread = float(np.std(list(leader.fold_scores.values())))
    return bool(gap > MARGIN * spread / len(shared) ** 0.5)


def estimated(candidate: Candidate, leader: Candidate) -> float:
    """The score of a dropped candidate: the leader's, less the gap on the shared folds."""
    assert leader.score is not None  # leaders are finished
    shared = candidate.fold_scores.keys() & leader.fold_scores.keys()
    gaps = [leader.fold_scores[i] - candidate.fold_scores[i] for i in shared]
    return leader.score - float(np.mean(gaps))
