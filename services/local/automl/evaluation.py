"""What held-out predictions are worth: metrics, chart artifacts and the score (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services import naive_baseline
from services.domain import Task
from services.local.automl import chart_tables, metrics
from services.local.automl.arrays import Floats, Rows
from services.local.automl.chart_tables import Table


@dataclass(frozen=True, slots=True)
class Report:
    metrics: Mapping[str, float]
    tables: Mapping[str, Table]
    rows: Rows  # the held-out rows, part after part
    predictions: Floats  # of these rows


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Judges predictions of one run's rows.

    Predictions have a column per class, or one column of numbers.
    """

    task: Task
    primary_metric: str
    target: npt.NDArray[Any]  # of every row: class codes, or numbers
    labels: Sequence[str]  # of the classes, as text

    def score(self, rows: npt.NDArray[np.int64], predictions: Floats) -> float:
        """The primary metric on these rows; NaN where they do not define it."""
        truth = self.target[rows]
        if self.task is Task.CLASSIFICATION:
            return metrics.classification_score(self.primary_metric, truth, predictions)
        found = metrics.regression(truth, predictions[:, 0], span=self.span)
        return found[self.primary_metric]

    def report(self, parts: Sequence[tuple[npt.NDArray[np.int64], Floats]]) -> Report:
        """Metrics averaged and charts summed over the held-out parts, as Azure AutoML does."""
        one = self._classification if self.task is Task.CLASSIFICATION else self._regression
        reports = [one(self.target[rows], predictions) for rows, predictions in parts]
        everything = np.concatenate([self.target[rows] for rows, _ in parts])
        predictions = np.concatenate([each for _, each in parts])
        held = np.concatenate([rows for rows, _ in parts])
        tables = self._tables(everything, predictions)
        return Report(metrics.mean_over_folds(reports), tables, held, predictions)

    @property
    def span(self) -> tuple[float, float]:
        return float(self.target.min()), float(self.target.max())

    def baseline(self, rows: npt.NDArray[np.int64]) -> Mapping[str, float]:
        """What always answering the most frequent class, or the mean, scores on these rows."""
        truth = self.target[rows]
        if self.task is Task.CLASSIFICATION:
            return naive_baseline.classification(np.bincount(truth).tolist())
        mean = np.full(len(truth), self.target.mean())
        return metrics.finite(metrics.regression(truth, mean, span=self.span).items())

    def _classification(self, truth: Any, predictions: Floats) -> dict[str, float]:
        return metrics.classification(truth, predictions)

    def _regression(self, truth: Any, predictions: Floats) -> dict[str, float]:
        return metrics.regression(truth, predictions[:, 0], span=self.span)

    def _tables(self, truth: Any, predictions: Floats) -> dict[str, Table]:
        if self.task is Task.CLASSIFICATION:
            return {
                "confusion_matrix": chart_tables.confusion_matrix(truth, predictions, self.labels),
                "accuracy_table": chart_tables.accuracy_table(truth, predictions, self.labels),
            }
        deviation = float(self.target.std())
        return {
            "residuals": chart_tables.residuals(truth, predictions[:, 0], deviation=deviation),
            "predicted_true": chart_tables.predicted_true(truth, predictions[:, 0], span=self.span),
        }
