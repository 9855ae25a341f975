"""What the data itself should make an operator careful about, as Azure AutoML's guardrails.

Each finding has Azure's shape in ``verifier_results.json``: what was looked for, whether
it Passed, was Fixed by featurization, or is Alerted, and a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from services.domain import Task
from services.local.automl import metrics
from services.local.automl.arrays import Matrix
from services.local.automl.features import ColumnPlan, Feature, Purpose

if TYPE_CHECKING:
    import numpy.typing as npt

IMBALANCE = 0.2  # smallest class against the largest; Azure AutoML's threshold
TELLTALE = 0.8  # AUC, or rank correlation, that one column alone should not reach

PASSED, FIXED, ALERTED = "Passed", "Fixed", "Alerted"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: str
    summary: str
    columns: tuple[str, ...] = ()


def findings(
    plans: Sequence[ColumnPlan],
    features: Sequence[Feature],
    matrix: Matrix,
    target: npt.NDArray[Any],
    labels: Sequence[str],
    task: Task,
    *,
    dropped_row_count: int,
) -> list[Finding]:
    """One finding per guardrail, in a fixed order."""
    found = [_missing(plans), _cardinality(plans), _constant(plans), _labels(dropped_row_count)]
    if task is Task.CLASSIFICATION:
        found.append(_balance(target, labels))
    return [*found, _leakage(features, matrix, target, len(labels), task)]


def document(found: Sequence[Finding]) -> dict[str, Any]:
    """The findings as ``verifier_results.json``."""
    return {"schema_version": "1.0", "verifiers": [asdict(each) for each in found]}


def _missing(plans: Sequence[ColumnPlan]) -> Finding:
    columns = tuple(each.name for each in plans if each.missing and each.used)
    name = "Missing feature values imputation"
    if not columns:
        return Finding(name, PASSED, "No feature has missing values.")
    text = f"Missing values of {_counted(columns)} are filled in; numbers with their mean."
    return Finding(name, FIXED, text, columns)


def _cardinality(plans: Sequence[ColumnPlan]) -> Finding:
    columns = tuple(each.name for each in plans if each.purpose in (Purpose.TEXT, Purpose.IGNORE))
    name = "High cardinality feature detection"
    if not columns:
        return Finding(name, PASSED, "No text column has nearly as many values as rows.")
    reasons = "; ".join(f"“{each.name}”: {each.reason}" for each in plans if each.name in columns)
    return Finding(name, FIXED, f"{_counted(columns)} left out. {reasons}.", columns)


def _constant(plans: Sequence[ColumnPlan]) -> Finding:
    columns = tuple(each.name for each in plans if each.purpose is Purpose.ALL_SAME)
    name = "Constant feature detection"
    if not columns:
        return Finding(name, PASSED, "Every feature varies.")
    return Finding(name, FIXED, f"{_counted(columns)} left out: the same in every row.", columns)


def _labels(dropped_row_count: int) -> Finding:
    name = "Missing label detection"
    if not dropped_row_count:
        return Finding(name, PASSED, "Every row has a label.")
    return Finding(name, FIXED, f"{dropped_row_count:,} rows without a label were left out.")


def _balance(target: npt.NDArray[Any], labels: Sequence[str]) -> Finding:
    counts = np.bincount(target, minlength=len(labels))
    rare, common = int(counts.argmin()), int(counts.argmax())
    name = "Class balancing detection"
    if counts[rare] / counts[common] > IMBALANCE:
        return Finding(name, PASSED, "The classes are of comparable size.")
    text = (
        f"“{labels[rare]}” has {counts[rare]:,} rows against {counts[common]:,} of "
        f"“{labels[common]}”: accuracy says little here, prefer AUC_weighted or "
        "norm_macro_recall."
    )
    return Finding(name, ALERTED, text)


def _leakage(
    features: Sequence[Feature],
    matrix: Matrix,
    target: npt.NDArray[Any],
    class_count: int,
    task: Task,
) -> Finding:
    """Numbers that order the rows nearly as the label does, all by themselves."""
    strengths: dict[str, float] = {}
    for feature, values in zip(features, matrix.T, strict=True):
        if not feature.coded:
            strength = _strength(np.nan_to_num(values), target, class_count, task)
            strengths[feature.raw] = max(strength, strengths.get(feature.raw, 0.0))
    columns = tuple(name for name, strength in strengths.items() if strength >= TELLTALE)
    name = "Possible leakage detection"
    if not columns:
        return Finding(name, PASSED, "No single number tells the label by itself.")
    measure = "AUC" if task is Task.CLASSIFICATION else "rank correlation"
    told = ", ".join(f"“{column}” ({measure} {strengths[column]:.2f})" for column in columns)
    text = (
        f"{told} tells the label almost by itself. Make sure it is known before the prediction "
        "is needed; otherwise leave it out."
    )
    return Finding(name, ALERTED, text, columns)


def _strength(
    values: npt.NDArray[Any], target: npt.NDArray[Any], class_count: int, task: Task
) -> float:
    if task is Task.REGRESSION:
        from scipy.stats import spearmanr

        found = abs(float(spearmanr(values, target)[0])) if np.ptp(values) > 0 else 0.0
        return found if found == found else 0.0
    areas = [
        metrics.binary_auc((target == code).astype(int), values) for code in range(class_count)
    ]
    return max((max(area, 1 - area) for area in areas if area == area), default=0.0)


def _counted(columns: Sequence[str]) -> str:
    return f"{len(columns)} column" + ("s" if len(columns) != 1 else "")
