"""The naive baseline against scikit-learn's own know-nothing models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor

from services import naive_baseline


def _dummy(counts: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.repeat(np.arange(len(counts)), counts)
    nothing = np.zeros((len(truth), 1))
    model = DummyClassifier(strategy="prior").fit(nothing, truth)
    return truth, model.predict(nothing), model.predict_proba(nothing)


@pytest.mark.parametrize("counts", [[888, 112], [50, 30, 20], [10, 10, 10, 70]])
def test_every_classification_metric_is_scikit_learns(counts):
    truth, answer, probability = _dummy(counts)
    onehot = np.eye(len(counts))[truth]
    weights = np.array(counts)[truth] / len(truth)

    naive = naive_baseline.classification(counts)

    expected = {
        "accuracy": metrics.accuracy_score(truth, answer),
        "weighted_accuracy": metrics.accuracy_score(truth, answer, sample_weight=weights),
        "balanced_accuracy": metrics.recall_score(truth, answer, average="macro"),
        "log_loss": metrics.log_loss(truth, probability),
        "matthews_correlation": metrics.matthews_corrcoef(truth, answer),
        "norm_macro_recall": 0.0,
    }
    for average in ("macro", "micro", "weighted"):
        scored = {"average": average, "zero_division": 0}
        expected |= {
            f"AUC_{average}": metrics.roc_auc_score(onehot, probability, average=average),
            f"average_precision_score_{average}": metrics.average_precision_score(
                onehot, probability, average=average
            ),
            f"f1_score_{average}": metrics.f1_score(truth, answer, **scored),
            f"precision_score_{average}": metrics.precision_score(truth, answer, **scored),
            f"recall_score_{average}": metrics.recall_score(truth, answer, **scored),
        }
    assert naive == pytest.approx(expected)


def test_an_always_no_model_has_no_lift():
    naive = naive_baseline.classification([29_238, 3_712])

    assert naive_baseline.lift("accuracy", 29_238 / 32_950, naive["accuracy"]) == pytest.approx(0)


def test_a_smaller_error_is_a_lift():
    assert naive_baseline.lift("log_loss", 0.18, 0.35) == pytest.approx(0.17)
    assert naive_baseline.lift("AUC_weighted", 0.48, 0.5) == pytest.approx(-0.02)


def test_one_class_alone_has_no_baseline():
    assert naive_baseline.classification([100, 0]) == {}
    assert naive_baseline.classification([]) == {}


def test_regression_answers_the_mean():
    truth = np.random.default_rng(3).gamma(2.0, 30.0, 500)
    answer = DummyRegressor().fit(truth[:, None], truth).predict(truth[:, None])

    naive = naive_baseline.regression(
        standard_deviation=float(truth.std()), minimum=truth.min(), maximum=truth.max()
    )

    error = metrics.root_mean_squared_error(truth, answer)
    assert naive["root_mean_squared_error"] == pytest.approx(error)
    assert naive["normalized_root_mean_squared_error"] == pytest.approx(error / np.ptp(truth))
    assert naive["r2_score"] == pytest.approx(metrics.r2_score(truth, answer), abs=1e-9)


def test_a_constant_label_has_no_normalized_error():
    naive = naive_baseline.regression(standard_deviation=0.0, minimum=4.0, maximum=4.0)

    assert "normalized_root_mean_squared_error" not in naive
