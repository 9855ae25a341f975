"""The chart artifacts of a run in the JSON Azure AutoML writes (pure).

Source: azureml-metrics 0.0.91, the shapes of ``accuracy_table`` 1.0.1, ``confusion_matrix``,
``residuals`` and ``predictions`` 1.0.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from services.local.automl.arrays import Codes, Floats

THRESHOLD_COUNT = 100
RESIDUAL_BINS = 10
PREDICTION_BINS = 20

Table = dict[str, Any]


def confusion_matrix(truth: Codes, probabilities: Floats, labels: Sequence[str]) -> Table:
    """Rows are what was true, columns what was predicted, in the order of `labels`."""
    size = len(labels)
    cells = np.bincount(truth * size + probabilities.argmax(axis=1), minlength=size * size)
    data = {"class_labels": list(labels), "matrix": cells.reshape(size, size).tolist()}
    return _document("confusion_matrix", "1.0.0", data)


def accuracy_table(truth: Codes, probabilities: Floats, labels: Sequence[str]) -> Table:
    """[TP, FP, TN, FN] of each class at 100 probabilities and at 100 percentiles."""
    even = np.linspace(0, 1, THRESHOLD_COUNT)
    percentiles = np.percentile(probabilities.ravel(), even * 100)
    data = {
        "probability_tables": [_counts(truth, probabilities, i, even) for i in range(len(labels))],
        "percentile_tables": [
            _counts(truth, probabilities, i, percentiles) for i in range(len(labels))
        ],
        "probability_thresholds": even.tolist(),
        "percentile_thresholds": percentiles.tolist(),
        "class_labels": list(labels),
    }
    return _document("accuracy_table", "1.0.1", data)


def residuals(truth: Floats, predicted: Floats, *, deviation: float) -> Table:
    """How often the prediction is off by how much.

    Args:
        deviation: standard deviation of the label over the whole data set; the inner
            bins reach to twice of it, the outer two to the extremes.
    """
    off = predicted - truth
    bound = _rounded_up(2 * (deviation or 1.0))
    inner = np.linspace(-bound, bound, RESIDUAL_BINS - 1)
    outer = bound + inner[1] - inner[0]
    edges = np.r_[min(off.min(), -outer), inner, max(off.max(), outer)]
    counts = np.diff(np.r_[0, np.searchsorted(np.sort(off), inner, side="left"), len(off)])
    data = {
        "bin_edges": edges.tolist(),
        "bin_counts": counts.tolist(),
        "mean": float(off.mean()),
        "stddev": float(off.std()),
        "res_count": len(off),
    }
    return _document("residuals", "1.0.0", data)


def predicted_true(truth: Floats, predicted: Floats, *, span: tuple[float, float]) -> Table:
    """Mean and deviation of the predictions for each of 20 equal ranges of the label.

    Args:
        span: smallest and largest label of the whole data set.
    """
    low, high = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)
    edges = np.linspace(low, high, PREDICTION_BINS + 1)
    bins = np.clip(np.digitize(truth, edges[1:-1], right=True), 0, PREDICTION_BINS - 1)
    groups = [predicted[bins == i] for i in range(PREDICTION_BINS)]
    data = {
        "bin_averages": [float(each.mean()) if len(each) else 0.0 for each in groups],
        "bin_errors": [float(each.std()) if len(each) else 0.0 for each in groups],
        "bin_counts": [len(each) for each in groups],
        "bin_edges": edges.tolist(),
    }
    return _document("predictions", "1.0.0", data)


def _counts(truth: Codes, probabilities: Floats, label: int, thresholds: Floats) -> list[list[int]]:
    """A row counts as the class from a probability equal to the threshold on."""
    score, is_class = probabilities[:, label], truth == label
    below = np.searchsorted(np.sort(score), thresholds, side="left")
    missed = np.searchsorted(np.sort(score[is_class]), thresholds, side="left")
    positives = int(is_class.sum())
    cells: npt.NDArray[np.int64] = np.stack(
        [
            positives - missed,
            len(truth) - positives - (below - missed),
            below - missed,
            missed,
        ],
        axis=1,
    )
    rows: list[list[int]] = cells.tolist()
    return rows


def _rounded_up(value: float) -> float:
    """To two significant decimals or more, away from zero."""
    scale = 10.0 ** int(max(2, 3 - np.log10(value)))
    return float(np.ceil(value * scale) / scale)


def _document(kind: str, version: str, data: dict[str, Any]) -> Table:
    return {"schema_type": kind, "schema_version": version, "data": data}
