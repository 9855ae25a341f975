"""What the data itself should make an operator careful about: AutoML's guardrails.

Each finding says what was looked for, whether it passed, something was done about it or
it is alerted, and on which columns. Checks for constant columns and for leakage are ours;
the others, and the shape of ``verifier_results.json``, are Azure AutoML's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.domain import Task
from services.local.automl import metrics
from services.local.automl.arrays import Matrix
from services.local.automl.features import ColumnPlan, Feature, Purpose

IMBALANCE = 0.2  # smallest class against the largest; Azure AutoML's threshold
TELLTALE = 0.8  # AUC, or rank correlation, that one column alone should not reach

PASSED, DONE, ALERTED = "passed", "done", "alerted"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    title: str
    result: str
    summary: str
    details: tuple[dict[str, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(each["Column name"] for each in self.details if "Column name" in each)


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
    """The findings as ``verifier_results.json``.

    Source: azureml-automl-core 1.62.0, ``verifier_schema.json``.
    """
    faults = [
        {
            "type": each.kind,
            "version": "1.0.0",
            "result": each.result,
            "friendly_type": each.title,
            "friendly_result": each.summary,
            "friendly_parameter_preface": "",
            "friendly_parameters": list(each.details),
        }
        for each in found
    ]
    return {"schema_type": "faults", "schema_version": "1.0.0", "faults": faults}


def _missing(plans: Sequence[ColumnPlan]) -> Finding:
    kind = "missing_values", "Missing feature values imputation"
    affected = [each for each in plans if each.missing_count and each.used]
    if not affected:
        return Finding(*kind, PASSED, "No feature value is missing.")
    details = tuple(
        {"Column name": each.name, "Missing value count": f"{each.missing_count:,}"}
        for each in affected
    )
    return Finding(
        *kind,
        DONE,
        "Missing numbers were replaced by the column's mean and marked; missing categories are "
        "a category of their own.",
        details,
    )


def _cardinality(plans: Sequence[ColumnPlan]) -> Finding:
    kind = "high_cardinality", "High cardinality feature detection"
    affected = [each for each in plans if each.purpose in (Purpose.TEXT, Purpose.IGNORE)]
    if not affected:
        return Finding(*kind, PASSED, "No text column has nearly as many values as rows.")
    details = tuple({"Column name": each.name, "Why": each.reason} for each in affected)
    return Finding(*kind, DONE, "Columns that only tell rows apart were left out.", details)


def _constant(plans: Sequence[ColumnPlan]) -> Finding:
    kind = "constant_columns", "Constant feature detection"
    details = tuple(
        {"Column name": each.name} for each in plans if each.purpose is Purpose.ALL_SAME
    )
    if not details:
        return Finding(*kind, PASSED, "Every feature varies.")
    return Finding(*kind, DONE, "Columns that are the same in every row were left out.", details)


def _labels(dropped_row_count: int) -> Finding:
    kind = "missing_labels", "Missing label detection"
    if not dropped_row_count:
        return Finding(*kind, PASSED, "Every row has a label.")
    rows = "One row" if dropped_row_count == 1 else f"{dropped_row_count:,} rows"
    return Finding(*kind, DONE, f"{rows} without a label were left out.")


def _balance(target: npt.NDArray[Any], labels: Sequence[str]) -> Finding:
    kind = "class_balancing", "Class balancing detection"
    counts = np.bincount(target, minlength=len(labels))
    rare, common = int(counts.argmin()), int(counts.argmax())
    if counts[rare] / counts[common] > IMBALANCE:
        return Finding(*kind, PASSED, "The classes are of comparable size.")
    details = {
        "Size of the smallest class": f"{counts[rare]:,}",
        "Name of the smallest class": labels[rare],
        "Number of rows": f"{len(target):,}",
    }
    return Finding(
        *kind,
        ALERTED,
        "Some classes are much rarer than others: accuracy says little here; prefer "
        "AUC_weighted or norm_macro_recall.",
        (details,),
    )


def _leakage(
    features: Sequence[Feature],
    matrix: Matrix,
    target: npt.NDArray[Any],
    class_count: int,
    task: Task,
) -> Finding:
    """Numbers that order the rows nearly as the label does, all by themselves."""
    kind = "possible_leakage", "Possible leakage detection"
    strengths: dict[str, float] = {}
    for feature, values in zip(features, matrix.T, strict=True):
        if not feature.coded:
            strength = _strength(np.nan_to_num(values), target, class_count, task)
            strengths[feature.raw] = max(strength, strengths.get(feature.raw, 0.0))
    measure = "AUC" if task is Task.CLASSIFICATION else "Rank correlation"
    details = tuple(
        {"Column name": name, f"{measure} by itself": f"{strength:.2f}"}
        for name, strength in strengths.items()
        if strength >= TELLTALE
    )
    if not details:
        return Finding(*kind, PASSED, "No single number tells the label by itself.")
    return Finding(
        *kind,
        ALERTED,
        "A column tells the label almost by itself. Make sure it is known before the prediction "
        "is needed; otherwise leave it out.",
        details,
    )


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
