"""Better, worse or cannot tell: on the same rows, with an interval that means something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from services import paired_difference
from services.domain import Verdict

GENERATOR = np.random.default_rng(3)
TRUTH = (GENERATOR.random(2_000) < 0.2).astype(int)
GOOD = TRUTH * 1.2 + GENERATOR.normal(size=2_000)


def judged(interval, *, metric="AUC_weighted", rows=2_000, rarest=400):
    return paired_difference.judged(metric, interval, row_count=rows, rarest=rarest)


def test_the_areas_are_those_of_the_roc_curve():
    other = TRUTH * 0.9 + GENERATOR.normal(size=2_000)

    interval = paired_difference.delong(TRUTH, GOOD, other)

    assert interval.champion == pytest.approx(roc_auc_score(TRUTH, GOOD))
    assert interval.challenger == pytest.approx(roc_auc_score(TRUTH, other))


def test_delong_and_the_bootstrap_agree():
    other = GOOD + GENERATOR.normal(scale=0.5, size=2_000)

    exact = paired_difference.delong(TRUTH, GOOD, other)
    drawn = paired_difference.bootstrap(
        lambda rows: (roc_auc_score(TRUTH[rows], GOOD[rows]),
                      roc_auc_score(TRUTH[rows], other[rows])),
        2_000, resamples=400,
    )  # fmt: skip

    assert drawn.low == pytest.approx(exact.low, abs=0.004)
    assert drawn.high == pytest.approx(exact.high, abs=0.004)


def test_the_same_predictions_cannot_be_told_apart():
    found = judged(paired_difference.delong(TRUTH, GOOD, GOOD.copy()))

    assert found.value == 0.0
    assert found.verdict is Verdict.UNDECIDED


def test_noise_of_the_same_size_cannot_be_told_apart():
    one = GOOD + GENERATOR.normal(scale=0.1, size=2_000)
    two = GOOD + GENERATOR.normal(scale=0.1, size=2_000)

    assert judged(paired_difference.delong(TRUTH, one, two)).verdict is Verdict.UNDECIDED


def test_a_degraded_model_is_worse_and_its_original_better():
    degraded = GOOD + GENERATOR.normal(scale=2, size=2_000)

    assert judged(paired_difference.delong(TRUTH, GOOD, degraded)).verdict is Verdict.WORSE
    assert judged(paired_difference.delong(TRUTH, degraded, GOOD)).verdict is Verdict.BETTER


def test_a_smaller_error_is_the_better_one():
    truth = GENERATOR.normal(size=500)
    close, far = truth + 0.1 * GENERATOR.normal(size=500), truth + GENERATOR.normal(size=500)
    interval = paired_difference.bootstrap(
        lambda rows: (float(np.mean((far - truth)[rows] ** 2)),
                      float(np.mean((close - truth)[rows] ** 2))),
        500, resamples=200,
    )  # fmt: skip

    found = judged(interval, metric="root_mean_squared_error", rows=500, rarest=None)

    assert found.verdict is Verdict.BETTER


@pytest.mark.parametrize(("rows", "rarest"), [(99, 40), (500, 9)])
def test_too_few_rows_tell_nothing_however_large_the_difference(rows, rarest):
    interval = paired_difference.Interval(0.5, 0.9, 0.3, 0.5, "exact")

    found = judged(interval, rows=rows, rarest=rarest)

    assert found.verdict is Verdict.UNDECIDED
    assert "needed" in found.reason


@given(st.floats(-1, 1), st.floats(0, 1))
@settings(max_examples=200)
def test_a_verdict_is_given_only_when_zero_lies_outside(middle, reach):
    interval = paired_difference.Interval(0.5, 0.5 + middle, middle - reach, middle + reach, "")

    verdict = judged(interval).verdict

    if middle - reach > 1e-9:
        assert verdict is Verdict.BETTER
    elif middle + reach < -1e-9:
        assert verdict is Verdict.WORSE
    elif abs(abs(middle) - reach) > 1e-9:
        assert verdict is Verdict.UNDECIDED
