"""From a dataset's rows to what is searched on: labels, encoded features, folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from services.domain import AutoMLSettings, Task
from services.errors import InvalidRequestError
from services.local.automl import features, guardrails, validation
from services.local.automl.arrays import Rows
from services.local.automl.evaluation import Evaluator
from services.local.automl.features import ColumnPlan, Feature
from services.local.automl.guardrails import Finding
from services.local.automl.jobs import TrainingData

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

MIN_ROWS = 50  # Azure AutoML refuses fewer


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a search needs, and what is told about the data."""

    data: TrainingData
    evaluator: Evaluator
    transformer: Pipeline
    plans: tuple[ColumnPlan, ...]
    features: tuple[Feature, ...]
    findings: list[Finding]
    places: Rows  # of every row that has a label, in the dataset


def prepare(frame: pd.DataFrame, settings: AutoMLSettings) -> Prepared:
    """Encode the rows and deal them into folds.

    The transformer learns from the validation rows as well, as Azure AutoML's does: it
    learns which categories exist and the means of numbers, nothing about the label.

    Raises:
        InvalidRequestError: the rows cannot be learnt from; the message says why.
    """
    name = settings.label_column_name
    labeled = features.tidied(frame[frame[name].notna()])
    if len(labeled) < MIN_ROWS:
        raise InvalidRequestError(
            f"AutoML needs at least {MIN_ROWS} rows with a label; there are {len(labeled)}."
        )
    target, classes = _target(labeled[name], settings.task)
    raw = labeled.drop(columns=name)
    automatic = settings.featurization == "auto"
    plans = features.plan(raw, automatic=automatic)
    transformer = features.transformer(plans, automatic=automatic)
    matrix = transformer.fit_transform(raw)
    layout = features.layout(plans, transformer)
    labels = [str(each) for each in classes]
    data = TrainingData(
        settings.task,
        matrix,
        target,
        classes,
        sum(feature.coded for feature in layout),
        validation.plan(settings, target),
        settings.seed,
    )
    return Prepared(
        data,
        Evaluator(settings.task, settings.primary_metric, target, labels),
        transformer,
        plans,
        layout,
        guardrails.findings(
            plans,
            layout,
            matrix,
            target,
            labels,
            settings.task,
            dropped_row_count=len(frame) - len(labeled),
        ),
        np.flatnonzero(frame[name].notna().to_numpy()),
    )


def _target(label: pd.Series, task: Task) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """What learners are given, and the label's values by code."""
    if task is Task.REGRESSION:
        return _numbers(label), np.empty(0)
    classes, codes = np.unique(label_values(label), return_inverse=True)
    if len(classes) < 2:
        raise InvalidRequestError(
            f"Every row has the same “{label.name}”, so there is nothing to learn."
        )
    return codes.astype(np.int64), classes


def _numbers(label: pd.Series) -> npt.NDArray[np.float64]:
    try:
        target = label.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"Regression predicts a number, but “{label.name}” holds something else."
        ) from error
    if not np.isfinite(target).all():
        raise InvalidRequestError(f"“{label.name}” holds infinite values, which cannot be learnt.")
    if np.ptp(target) == 0:
        raise InvalidRequestError(
            f"Every row has the same “{label.name}”, so there is nothing to learn."
        )
    return target


def label_values(label: pd.Series) -> npt.NDArray[Any]:
    """The label as text, whole numbers or truth values, without their missing marks."""
    from pandas.api import types

    if types.is_bool_dtype(label.dtype):
        return label.to_numpy(dtype=bool)
    if types.is_numeric_dtype(label.dtype):
        numbers = label.to_numpy(dtype=np.float64)
        whole = bool((numbers == np.round(numbers)).all())
        return numbers.astype(np.int64) if whole else numbers
    return label.astype(str).to_numpy(dtype=str)
