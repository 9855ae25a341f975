"""Which rows a candidate is measured on, and which decide between candidates (pure).

Azure AutoML's rule is kept for what is reported: one stratified tenth of the rows above
20,000, cross-validation below. A single tenth chooses by luck, though: on the bank data a
candidate that led there by 0.007 was 0.003 worse on new rows. So with a split, the other
rows are cross-validated for choosing; with cross-validation the same folds do both.

Source: azureml-automl-runtime 1.62, rule-based validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain import AutoMLSettings, Task
from services.local.automl.arrays import Codes, Floats, Rows

SPLIT_ABOVE = 20_000
SPLIT_SIZE = 0.1
CHOOSING_FOLDS = 5

VALIDATION = -1  # held out by a split; never trained on while searching
EVERYTHING = -2  # nothing held out: the fit that is kept


@dataclass(frozen=True, slots=True)
class Validation:
    """Every row's fold, or `VALIDATION`."""

    assignment: npt.NDArray[np.int8]
    fold_count: int
    split: bool

    @property
    def folds(self) -> range:
        return range(self.fold_count)

    @property
    def reported(self) -> tuple[int, ...]:
        """What is held out, in turn, to measure a candidate."""
        return (VALIDATION,) if self.split else tuple(self.folds)

    def held(self, part: int) -> Rows:
        """The rows that a part holds out."""
        return np.flatnonzero(self.assignment == part)

    def trained(self, part: int) -> Rows:
        """The rows to train on while that part is held out."""
        if part == EVERYTHING:
            return np.arange(len(self.assignment))
        return np.flatnonzero((self.assignment >= 0) & (self.assignment != part))

    def describe(self) -> dict[str, str]:
        """How candidates are measured and chosen, for people."""
        held = int((self.assignment == VALIDATION).sum())
        rest = len(self.assignment) - held
        if not self.split:
            both = f"{self.fold_count}-fold cross-validation on {rest:,} rows"
            return {"validation_reported": both, "validation_chosen": both}
        folds = f"{self.fold_count}-fold cross-validation on the other {rest:,} rows"
        return {
            "validation_reported": f"{held:,} validation rows ({held / (held + rest):.0%} of all)",
            "validation_chosen": folds,
        }


def plan(settings: AutoMLSettings, target: Codes | Floats) -> Validation:
    """Deal the rows as the settings ask, the same way for the same seed.

    Args:
        target: class codes, or the numbers to predict.
    """
    generator = np.random.default_rng(settings.seed)
    groups = _groups(target, settings.task, generator)
    folds, size = settings.n_cross_validations, settings.validation_size
    if folds is None and size is None:
        size = SPLIT_SIZE if len(target) > SPLIT_ABOVE else None
        folds = 10 if len(target) < 1000 else 3
    if size is None:
        assert folds is not None  # one of the two rules applied
        return Validation(_dealt(groups, len(target), folds), folds, split=False)
    held = [group[: _share(len(group), size)] for group in groups]
    rest = [group[_share(len(group), size) :] for group in groups]
    assignment = _dealt(rest, len(target), CHOOSING_FOLDS)
    assignment[np.concatenate(held)] = VALIDATION
    return Validation(assignment, CHOOSING_FOLDS, split=True)


def _groups(target: Codes | Floats, task: Task, generator: np.random.Generator) -> list[Rows]:
    """Rows to be spread evenly: those of one class, or all, in random order."""
    if task is Task.REGRESSION:
        return [generator.permutation(len(target))]
    return [generator.permutation(np.flatnonzero(target == code)) for code in np.unique(target)]


def _share(count: int, size: float) -> int:
    """How many rows of a group are held out; a pair of rows is never held out whole."""
    return min(max(round(count * size), 1 if count > 1 else 0), count - 1)


def _dealt(groups: list[Rows], row_count: int, fold_count: int) -> npt.NDArray[np.int8]:
    """Deal the groups out one after the other, each fold in turn, so that all stay equal."""
    assignment = np.full(row_count, VALIDATION, dtype=np.int8)
    order = np.concatenate(groups)
    assignment[order] = np.arange(len(order)) % fold_count
    return assignment
