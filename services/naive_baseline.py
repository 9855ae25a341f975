"""What a model that has learnt nothing scores, metric by metric (pure).

For classification it always answers the most frequent class and gives each class's share
as its probability; for regression it always answers the mean. A score says little until
it is held against this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import log

from services.domain import MetricGoal, metric_goal


def classification(class_counts: Sequence[int]) -> Mapping[str, float]:
    """Azure's metrics of the most-frequent-class answer.

    Args:
        class_counts: how many validated rows are truly of each class.

    Returns:
        Azure's metric name → value; empty with fewer than two classes, where nothing can
        be told apart.
    """
    present = [count for count in class_counts if count > 0]
    if len(present) < 2:
        return {}
    shares = [count / sum(present) for count in present]
    most, classes = max(shares), len(shares)
    squares = sum(share * share for share in shares)
    f1_of_most = 2 * most / (1 + most)
    return {
        "AUC_macro": 0.5,
        "AUC_micro": _micro_auc(shares),
        "AUC_weighted": 0.5,
        "accuracy": most,
        "average_precision_score_macro": 1 / classes,
        "average_precision_score_micro": _micro_average_precision(shares),
        "average_precision_score_weighted": squares,
        "balanced_accuracy": 1 / classes,
        "f1_score_macro": f1_of_most / classes,
        "f1_score_micro": most,
        "f1_score_weighted": f1_of_most * most,
        "log_loss": -sum(share * log(share) for share in shares),
        "matthews_correlation": 0.0,
        "norm_macro_recall": 0.0,
        "precision_score_macro": most / classes,
        "precision_score_micro": most,
        "precision_score_weighted": most * most,
        "recall_score_macro": 1 / classes,
        "recall_score_micro": most,
        "recall_score_weighted": most,
        "weighted_accuracy": most * most / squares,
    }


def regression(*, standard_deviation: float, minimum: float, maximum: float) -> Mapping[str, float]:
    """Azure's metrics of the mean answer, as far as spread and range of the label tell.

    Rank correlation of a constant is undefined, and absolute errors need every value:
    those are absent.
    """
    scores = {
        "explained_variance": 0.0,
        "r2_score": 0.0,
        "root_mean_squared_error": standard_deviation,
    }
    if maximum > minimum:
        scores["normalized_root_mean_squared_error"] = standard_deviation / (maximum - minimum)
    return scores


def lift(metric: str, score: float, naive: float) -> float:
    """How much better than naive, in the metric's own unit; negative when worse."""
    return score - naive if metric_goal(metric) is MetricGoal.MAXIMIZE else naive - score


def _micro_auc(shares: Sequence[float]) -> float:
    """The area when every class of every row is one yes-or-no question.

    A pair of a true and a false answer is ordered by the shares of their classes.
    """
    true = [(share, share) for share in shares]  # (its probability, how many of them)
    false = [(share, 1 - share) for share in shares]
    right = sum(
        many * others * (1.0 if score > other else 0.5 if score == other else 0.0)
        for score, many in true
        for other, others in false
    )
    return right / sum(others for _, others in false)


def _micro_average_precision(shares: Sequence[float]) -> float:
    found = asked = area = 0.0
    for share, equals in groupby(sorted(shares, reverse=True)):
        count = len(list(equals))
        found, asked = found + share * count, asked + count
        area += share * count * found / asked
    return area
