"""Every scalar metric Azure AutoML reports for a task, under Azure's names (pure).

Classes are codes 0 … K−1 here; the caller keeps their labels.

Source: azureml-metrics 0.0.91 (names, averages, zero division) and scikit-learn (terms).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from services.local.automl.arrays import Codes, Floats

AVERAGES = ("macro", "micro", "weighted")


def classification(truth: Codes, probabilities: Floats) -> dict[str, float]:
    """The 21 scalar metrics of a classifier.

    Args:
        truth: class codes, one per row.
        probabilities: one row per row, one column per class, in the order of the codes.

    Returns:
        Azure's name → value; NaN where the rows do not define it (one class only).
    """
    class_count = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    labels = np.arange(class_count)
    shares = np.bincount(truth, minlength=class_count) / len(truth)
    found = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.recall_score(truth, predicted, average="macro", zero_division=0),
        "weighted_accuracy": sk.accuracy_score(truth, predicted, sample_weight=shares[truth]),
        "norm_macro_recall": _norm_macro_recall(truth, predicted, class_count),
        "matthews_correlation": sk.matthews_corrcoef(truth, predicted),
        "log_loss": sk.log_loss(truth, _normalized(probabilities), labels=labels),
    }
    for average in AVERAGES:
        found |= _averaged(truth, predicted, average)
        found |= _ranked(truth, probabilities, average)
    return {name: float(value) for name, value in found.items()}


def regression(truth: Floats, predicted: Floats, *, span: tuple[float, float]) -> dict[str, float]:
    """The 12 scalar metrics of a regressor.

    Args:
        truth: the label, one per row.
        predicted: in the label's unit, one per row.
        span: smallest and largest label of the whole data set; the normalized metrics
            are shares of it.

    Returns:
        Azure's name → value; NaN where a value is not defined, as a logarithm of a
        negative number.
    """
    error = predicted - truth
    absolute = np.abs(error)
    width = (span[1] - span[0]) or 1.0
    nonzero = truth != 0
    found = {
        "explained_variance": sk.explained_variance_score(truth, predicted),
        "r2_score": float(np.clip(sk.r2_score(truth, predicted), -1, 1))
        if len(truth) > 1
        else np.nan,
        "spearman_correlation": _spearman(truth, predicted),
        "mean_absolute_percentage_error": 100 * np.mean(absolute[nonzero] / np.abs(truth[nonzero]))
        if nonzero.any()
        else np.nan,
        "mean_absolute_error": absolute.mean(),
        "median_absolute_error": np.median(absolute),
        "root_mean_squared_error": np.sqrt(np.mean(error**2)),
        "root_mean_squared_log_error": _log_error(truth, predicted),
    }
    for name in ("mean_absolute_error", "median_absolute_error", "root_mean_squared_error"):
        found[f"normalized_{name}"] = found[name] / width
    found["normalized_root_mean_squared_log_error"] = _normalized_log_error(
        found["root_mean_squared_log_error"], span
    )
    return {name: float(value) for name, value in found.items()}


def mean_over_folds(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each metric's mean over the folds that define it."""
    names = dict.fromkeys(name for fold in folds for name in fold)
    values = {name: np.array([fold.get(name, np.nan) for fold in folds]) for name in names}
    return {
        name: float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")
        for name, each in values.items()
    }


def classification_score(name: str, truth: Codes, probabilities: Floats) -> float:
    """One primary metric, without computing the others."""
    if name == "AUC_weighted" and probabilities.shape[1] == 2:
        return binary_auc(truth, probabilities[:, 1])
    predicted = probabilities.argmax(axis=1)
    if name == "accuracy":
        return float(np.mean(predicted == truth))
    if name == "norm_macro_recall":
        return _norm_macro_recall(truth, predicted, probabilities.shape[1])
    if name == "precision_score_weighted":
        return _averaged(truth, predicted, "weighted")[name]
    return _ranked(truth, probabilities, "weighted")[name]


def binary_auc(truth: Codes, score: Floats) -> float:
    """Area under the ROC curve from ranks: equal to `AUC_weighted` of two classes."""
    from scipy.stats import rankdata

    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(score)
    return float(
        (ranks[truth == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    )


def _norm_macro_recall(truth: Codes, predicted: Codes, class_count: int) -> float:
    """Macro recall, stretched so that 0 is what chance would reach."""
    recall = sk.recall_score(truth, predicted, average="macro", zero_division=0)
    return max(0.0, float((recall - 1 / class_count) / (1 - 1 / class_count)))


def _averaged(truth: Codes, predicted: Codes, average: str) -> dict[str, float]:
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, predicted, average=average, zero_division=0
    )
    return {
        f"precision_score_{average}": precision,
        f"recall_score_{average}": recall,
        f"f1_score_{average}": f1,
    }


def _ranked(truth: Codes, probabilities: Floats, average: str) -> dict[str, float]:
    """AUC and average precision over one-against-the-rest columns of the classes present."""
    one_hot = _one_hot(truth, probabilities.shape[1])
    present = one_hot.any(axis=0)
    names = f"AUC_{average}", f"average_precision_score_{average}"
    if present.sum() < 2:
        return dict.fromkeys(names, float("nan"))
    columns: tuple[Any, Any] = one_hot[:, present], probabilities[:, present]
    auc = sk.roc_auc_score(*columns, average=average)
    precision = sk.average_precision_score(*columns, average=average)
    return dict(zip(names, (auc, precision), strict=True))


def _one_hot(truth: Codes, class_count: int) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = label_binarize(truth, classes=np.arange(class_count))
    return np.hstack([1 - found, found]) if class_count == 2 else found


def _normalized(probabilities: Floats) -> Floats:
    """Rows that sum to 1 in double precision; boosters answer in single."""
    exact = probabilities.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def _spearman(truth: Floats, predicted: Floats) -> float:
    from scipy.stats import spearmanr

    if len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(spearmanr(truth, predicted)[0])


def _log_error(truth: Floats, predicted: Floats) -> float:
    if (truth <= -1).any() or (predicted <= -1).any():
        return float("nan")
    return float(np.sqrt(np.mean((np.log1p(predicted) - np.log1p(truth)) ** 2)))


def _normalized_log_error(error: float, span: tuple[float, float]) -> float:
    if span[0] <= -1:
        return float("nan")
    width = abs(np.log1p(span[1]) - np.log1p(span[0]))
    return float(error / (width or 1.0))


def finite(metrics: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The metrics that have a value."""
    return {name: value for name, value in metrics if np.isfinite(value)}
