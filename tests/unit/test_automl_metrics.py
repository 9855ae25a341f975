"""Azure's metrics and chart artifacts, against definitions worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from services import run_charts, run_tables
from services.domain import PRIMARY_METRICS, Task
from services.local.automl import chart_tables, metrics

TRUTH = np.array([0, 0, 0, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.6, 0.4], [0.1, 0.9]])

CLASSIFICATION = {
    *(f"{name}_{each}" for name in ("AUC", "average_precision_score", "f1_score", "precision_score")
      for each in ("macro", "micro", "weighted")),
    *("recall_score_macro", "recall_score_micro", "recall_score_weighted", "accuracy"),
    *("balanced_accuracy", "weighted_accuracy", "norm_macro_recall", "log_loss"),
    "matthews_correlation",
}  # fmt: skip


@pytest.fixture
def three() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 3, 300)
    probabilities = draw.dirichlet(np.ones(3), 300)
    probabilities[np.arange(300), truth] += 0.5
    return truth, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_every_azure_name_of_a_classification_is_there():
    found = metrics.classification(TRUTH, PROBABILITIES)

    assert set(found) == CLASSIFICATION
    assert set(PRIMARY_METRICS[Task.CLASSIFICATION]) <= set(found)


def test_what_azure_defines_by_itself_is_computed_as_azure_does():
    found = metrics.classification(TRUTH, PROBABILITIES)

    # Recalls are 3/4 and 1/2, so their mean is 5/8; chance is 1/2.
    assert found["balanced_accuracy"] == pytest.approx(0.625)
    assert found["norm_macro_recall"] == pytest.approx(0.25)
    # Rows of the larger class count 4/6 each, of the smaller 2/6.
    assert found["weighted_accuracy"] == pytest.approx((3 * 4 + 1 * 2) / (4 * 4 + 2 * 2))
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_weighted_auc_of_two_classes_is_the_plain_one_but_micro_is_not():
    found = metrics.classification(TRUTH, PROBABILITIES)
    plain = roc_auc_score(TRUTH, PROBABILITIES[:, 1])

    assert found["AUC_weighted"] == pytest.approx(plain)
    assert metrics.binary_auc(TRUTH, PROBABILITIES[:, 1]) == pytest.approx(plain)
    assert found["AUC_micro"] != pytest.approx(plain)
    assert found["average_precision_score_weighted"] != pytest.approx(
        average_precision_score(TRUTH, PROBABILITIES[:, 1])
    )


@pytest.mark.parametrize("name", PRIMARY_METRICS[Task.CLASSIFICATION])
def test_one_metric_alone_equals_itself_among_all(name, three):
    for truth, probabilities in (three, (TRUTH, PROBABILITIES)):
        alone = metrics.classification_score(name, truth, probabilities)

        assert alone == pytest.approx(metrics.classification(truth, probabilities)[name])


def test_a_class_that_no_row_has_does_not_break_the_others():
    probabilities = np.hstack([PROBABILITIES * 0.9, np.full((6, 1), 0.1)])

    found = metrics.classification(TRUTH, probabilities)

    assert 0 < found["AUC_weighted"] < 1
    assert math.isfinite(found["log_loss"])


def test_rows_of_one_class_only_leave_auc_undefined():
    found = metrics.classification(np.zeros(6, dtype=int), PROBABILITIES)

    assert math.isnan(found["AUC_weighted"])
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_the_regression_metrics_are_azures_twelve():
    truth, predicted = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.5, 2.0, 2.5, 5.0])

    found = metrics.regression(truth, predicted, span=(0.0, 5.0))

    assert len(found) == 12
    assert found["mean_absolute_error"] == pytest.approx(0.5)
    assert found["normalized_mean_absolute_error"] == pytest.approx(0.1)
    assert found["root_mean_squared_error"] == pytest.approx(math.sqrt(1.5 / 4))
    assert found["mean_absolute_percentage_error"] == pytest.approx(
        100 * (0.5 + 0 + 0.5 / 3 + 0.25) / 4
    )
    assert found["spearman_correlation"] == pytest.approx(1.0)
    assert found["normalized_root_mean_squared_log_error"] == pytest.approx(
        found["root_mean_squared_log_error"] / math.log(6)
    )


def test_a_logarithm_of_a_negative_number_is_no_metric():
    found = metrics.regression(np.array([-3.0, 2.0]), np.array([1.0, 2.0]), span=(-3.0, 2.0))

    assert math.isnan(found["root_mean_squared_log_error"])
    assert "root_mean_squared_log_error" not in metrics.finite(found.items())


def test_a_constant_prediction_has_no_rank_correlation():
    found = metrics.regression(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0), span=(1.0, 3.0))

    assert math.isnan(found["spearman_correlation"])
    assert found["r2_score"] == pytest.approx(0.0)


def test_the_mean_over_folds_skips_folds_that_do_not_define_a_metric():
    folds = [{"a": 1.0, "b": float("nan")}, {"a": 3.0, "b": 5.0}]

    assert metrics.mean_over_folds(folds) == {"a": 2.0, "b": 5.0}


def test_the_confusion_matrix_counts_every_row_and_agrees_with_the_accuracy(three):
    truth, probabilities = three

    matrix = run_tables.confusion_matrix(
        chart_tables.confusion_matrix(truth, probabilities, ["a", "b", "c"])
    )

    assert matrix.total == 300
    assert matrix.accuracy == pytest.approx(
        metrics.classification(truth, probabilities)["accuracy"]
    )


def test_the_accuracy_table_counts_rows_at_or_above_each_threshold(three):
    truth, probabilities = three

    payload = chart_tables.accuracy_table(truth, probabilities, ["a", "b", "c"])

    assert payload["schema_version"] == "1.0.1"
    for label in range(3):
        for key, cells in (
            ("probability", "probability_tables"),
            ("percentile", "percentile_tables"),
        ):
            thresholds = payload["data"][f"{key}_thresholds"]
            assert len(thresholds) == 100
            for threshold, (tp, fp, tn, fn) in zip(
                thresholds, payload["data"][cells][label], strict=True
            ):
                taken = probabilities[:, label] >= threshold
                is_class = truth == label
                assert (tp, fp) == ((taken & is_class).sum(), (taken & ~is_class).sum())
                assert (tn, fn) == ((~taken & ~is_class).sum(), (~taken & is_class).sum())


def test_the_roc_curve_of_the_table_has_the_metrics_area():
    draw = np.random.default_rng(3)
    truth = (draw.random(4000) < 0.2).astype(int)
    score = 1 / (1 + np.exp(-draw.normal(2 * truth - 1, 1)))
    probabilities = np.column_stack([1 - score, score])

    table = run_tables.accuracy_table(
        chart_tables.accuracy_table(truth, probabilities, ["no", "yes"])
    )

    area = run_charts.roc(table, "yes").area
    assert area == pytest.approx(metrics.binary_auc(truth, score), abs=0.002)


def test_residuals_hold_every_row_and_reach_to_the_extremes():
    truth = np.zeros(100)
    predicted = np.linspace(-10, 10, 100)

    payload = chart_tables.residuals(truth, predicted, deviation=1.0)

    data = payload["data"]
    assert sum(data["bin_counts"]) == 100
    assert len(data["bin_counts"]) == 10
    assert (data["bin_edges"][0], data["bin_edges"][-1]) == (-10, 10)
    assert run_tables.residuals(payload).mean == pytest.approx(0.0, abs=1e-9)


def test_predictions_are_averaged_over_ranges_of_the_true_value():
    truth = np.linspace(0, 100, 1000)

    payload = chart_tables.predicted_true(truth, truth + 5, span=(0.0, 100.0))

    read = run_tables.predicted_true(payload)
    assert sum(read.counts) == 1000
    assert all(
        predicted - true == pytest.approx(5, abs=0.2)
        for true, predicted in zip(read.true, read.predicted, strict=True)
    )
