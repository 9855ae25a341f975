"""Curves and matrices from the artifacts Azure AutoML writes; scikit-learn is the oracle."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from services import run_charts, run_tables
from services.errors import OperationFailedError


def _scored(rows: int = 4000, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose probability of “yes” is exactly the one predicted: calibrated by design."""
    random = np.random.default_rng(seed)
    probability = random.beta(1.2, 6.0, rows)
    return random.random(rows) < probability, probability


def _table(truth: np.ndarray, probability: np.ndarray) -> list[list[list[int]]]:
    """Per threshold TP, FP, TN, FN of one class, as the artifact holds them."""
    rows = []
    for threshold in np.linspace(0, 1, 100):
        taken = probability >= threshold
        rows.append(
            [
                int(np.sum(taken & truth)),
                int(np.sum(taken & ~truth)),
                int(np.sum(~taken & ~truth)),
                int(np.sum(~taken & truth)),
            ]
        )
    return rows


def _percentiles(truth: np.ndarray, probability: np.ndarray) -> list[list[list[int]]]:
    both = np.concatenate([probability, 1 - probability])
    rows = []
    for threshold in np.percentile(both, np.linspace(0, 100, 100)):
        taken = probability >= threshold
        tp, fp = int(np.sum(taken & truth)), int(np.sum(taken & ~truth))
        rows.append([tp, fp, int(np.sum(~truth)) - fp, int(np.sum(truth)) - tp])
    return rows


def _accuracy_table(truth: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    return {
        "schema_type": "accuracy_table",
        "schema_version": "1.0.1",
        "data": {
            "class_labels": ["no", "yes"],
            "probability_thresholds": np.linspace(0, 1, 100).tolist(),
            "percentile_thresholds": np.linspace(0, 1, 100).tolist(),
            "probability_tables": [_table(~truth, 1 - probability), _table(truth, probability)],
            "percentile_tables": [
                _percentiles(~truth, 1 - probability),
                _percentiles(truth, probability),
            ],
        },
    }


def _matrix(truth: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    return {
        "schema_type": "confusion_matrix",
        "schema_version": "1.0.0",
        "data": {
            "class_labels": ["no", "yes"],
            "matrix": confusion_matrix(truth, probability > 0.5).tolist(),
        },
    }


TRUTH, PROBABILITY = _scored()


@pytest.fixture
def table() -> run_charts.AccuracyTable:
    return run_tables.accuracy_table(_accuracy_table(TRUTH, PROBABILITY))


@pytest.fixture
def matrix() -> run_charts.ConfusionMatrix:
    return run_tables.confusion_matrix(_matrix(TRUTH, PROBABILITY))


def test_the_roc_curve_runs_from_corner_to_corner_and_never_back(table):
    curve = run_charts.roc(table, "yes")

    assert (curve.x[0], curve.y[0]) == (0, 0)
    assert (curve.x[-1], curve.y[-1]) == (1, 1)
    assert all(a <= b for a, b in pairwise(curve.x))
    assert all(a <= b for a, b in pairwise(curve.y))


def test_the_area_under_the_roc_curve_is_scikit_learns(table):
    curve = run_charts.roc(table, "yes")

    assert curve.area == pytest.approx(roc_auc_score(TRUTH, PROBABILITY), abs=5e-4)


def test_the_area_of_precision_recall_is_the_average_precision(table):
    curve = run_charts.precision_recall(table, "yes")

    assert curve.area == pytest.approx(average_precision_score(TRUTH, PROBABILITY), abs=5e-3)
    assert all(0 <= y <= 1 for y in curve.y)


def test_precision_is_left_out_where_nothing_was_predicted():
    truth, probability = np.array([True, False, False]), np.array([0.4, 0.3, 0.1])
    table = run_tables.accuracy_table(_accuracy_table(truth, probability))

    curve = run_charts.precision_recall(table, "yes")

    assert curve.y[0] == 1.0
    assert all(threshold is None or threshold <= 0.4 for threshold in curve.thresholds)


def test_gain_finds_everyone_when_everyone_is_taken(table):
    curve = run_charts.gain(table, "yes")

    assert (curve.x[0], curve.y[0]) == (0, 0)
    assert (curve.x[-1], curve.y[-1]) == (1, 1)
    assert all(y >= x for x, y in zip(curve.x, curve.y, strict=True) if x > 0.01)


def test_gain_at_a_threshold_is_the_share_found_among_those_taken(table):
    curve = run_charts.gain(table, "yes")
    threshold = table.thresholds[30]
    at = curve.thresholds.index(threshold)

    taken = threshold <= PROBABILITY
    assert curve.x[at] == pytest.approx(taken.mean())
    assert curve.y[at] == pytest.approx((taken & TRUTH).sum() / TRUTH.sum())


def test_lift_ends_at_one_and_starts_above_it(table):
    curve = run_charts.lift(table, "yes")

    assert curve.y[-1] == pytest.approx(1.0)
    assert curve.x[0] >= 0.01
    assert curve.y[0] > 2


def test_calibrated_probabilities_lie_on_the_diagonal(table):
    points = run_charts.calibration(table, "yes")

    assert sum(points.counts) == len(TRUTH)
    assert points.error is not None and points.error < 0.02
    for predicted, observed, count in zip(
        points.predicted, points.observed, points.counts, strict=True
    ):
        assert abs(predicted - observed) < 4 / np.sqrt(count)


def test_overconfident_probabilities_show_as_calibration_error():
    sharp = np.where(PROBABILITY > 0.15, 0.95, 0.01)
    table = run_tables.accuracy_table(_accuracy_table(TRUTH, sharp))

    points = run_charts.calibration(table, "yes")

    assert points.error is not None and points.error > 0.2
    assert max(points.predicted) == pytest.approx(0.95, abs=0.006)


def test_at_one_half_the_matrix_is_the_logged_one(table, matrix):
    counts = run_charts.counts_at(table, matrix, "yes", 0.5)

    assert counts.total == len(TRUTH)
    assert counts.accuracy == pytest.approx(np.mean((PROBABILITY > 0.5) == TRUTH))
    assert counts.accuracy == matrix.accuracy


def test_seen_from_the_other_class_the_same_rows_are_right(table, matrix):
    yes = run_charts.counts_at(table, matrix, "yes", 0.5)
    no = run_charts.counts_at(table, matrix, "no", 0.5)

    assert (no.tp, no.fp, no.tn, no.fn) == (yes.tn, yes.fn, yes.tp, yes.fp)


def test_a_lower_threshold_takes_more_rows_and_keeps_their_number(table, matrix):
    choices = run_charts.threshold_choices(table, matrix)

    taken = [run_charts.counts_at(table, matrix, "yes", each) for each in choices]

    assert len(choices) == 101 and 0.5 in choices
    assert {counts.total for counts in taken} == {len(TRUTH)}
    assert all(a.predicted >= b.predicted for a, b in pairwise(taken))


def test_a_threshold_from_an_old_link_snaps_to_the_nearest_one(table, matrix):
    choices = run_charts.threshold_choices(table, matrix)

    assert run_charts.nearest(choices, 0.4999) == 0.5
    assert run_charts.nearest(choices, -3) == 0
    assert run_charts.nearest(choices, 7) == 1
    assert run_charts.nearest(choices, 0.1) == choices[10]


def test_the_rarest_class_is_the_one_looked_at_first(table):
    assert table.rarest == "yes"


def test_folds_summed_at_unequal_thresholds_leave_the_percentile_rows_out():
    payload = _accuracy_table(TRUTH, PROBABILITY)
    payload["data"]["percentile_tables"][1][50] = [1, 900, len(TRUTH) - 950, 49]
    table = run_tables.accuracy_table(payload)

    curve = run_charts.roc(table, "yes")

    assert all(a <= b for a, b in pairwise(curve.y))
    assert curve.area == pytest.approx(roc_auc_score(TRUTH, PROBABILITY), abs=5e-3)


def test_a_class_nobody_belongs_to_has_no_curve():
    nobody = np.zeros(len(TRUTH), dtype=bool)
    table = run_tables.accuracy_table(_accuracy_table(nobody, PROBABILITY))

    assert run_charts.roc(table, "yes").x == ()
    assert run_charts.precision_recall(table, "yes").x == ()
    assert run_charts.gain(table, "yes").x == ()
    assert table.rarest == "no"


def test_residuals_keep_their_outer_edges():
    residuals = run_tables.residuals(
        {
            "data": {
                "bin_edges": [-9.5, -2.0, 0.0, 2.0, 7.0],
                "bin_counts": [1, 10, 12, 2],
                "mean": 0.1,
                "stddev": 1.4,
                "res_count": 25,
            }
        }
    )

    assert residuals.edges[0] == -9.5
    assert sum(residuals.counts) == 25
    assert residuals.standard_deviation == 1.4


def test_empty_bins_of_predicted_against_true_are_left_out():
    bins = run_tables.predicted_true(
        {
            "data": {
                "bin_edges": [0, 10, 20, 30],
                "bin_averages": [6.0, 0.0, 24.0],
                "bin_errors": [1.0, 0.0, 2.0],
                "bin_counts": [5, 0, 7],
            }
        }
    )

    assert bins.true == (5.0, 25.0)
    assert bins.predicted == (6.0, 24.0)
    assert bins.counts == (5, 7)


@pytest.mark.parametrize(
    ("read", "payload"),
    [
        (run_tables.accuracy_table, {}),
        (run_tables.accuracy_table, {"data": {"class_labels": ["a"]}}),
        (run_tables.confusion_matrix, {"data": {"class_labels": ["a"], "matrix": [[1, 2]]}}),
        (run_tables.residuals, {"data": {"bin_edges": [0, 1], "bin_counts": [1, 2, 3]}}),
        (run_tables.predicted_true, {"data": None}),
    ],
)
def test_an_artifact_of_another_shape_is_named_not_drawn(read, payload):
    with pytest.raises(OperationFailedError, match="cannot be drawn"):
        read(payload)
