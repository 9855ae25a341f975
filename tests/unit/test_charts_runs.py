"""Figures about runs and models: what they show, not how they look."""

from __future__ import annotations

import pytest

from dashboard import charts_runs
from services.domain import MetricGoal
from services.leaderboard import Scored
from services.run_charts import ConfusionMatrix, Counts, Curve, Residuals


def _search(scores, *, goal=MetricGoal.MAXIMIZE, **options):
    best = max if goal is MetricGoal.MAXIMIZE else min
    scored = [
        Scored(name=f"c{i}", after_s=i, score=score, best_so_far=best(scores[: i + 1]))
        for i, score in enumerate(scores)
    ]
    return charts_runs.search(scored, metric="m", goal=goal, timeout_s=None, **options)


def _words(figure):
    return [each.text for each in figure.layout.annotations]


@pytest.mark.parametrize("goal", list(MetricGoal))
def test_the_best_half_of_a_search_is_in_sight(goal):
    good, awful = [0.50, 0.51, 0.52, 0.53] * 5, -9.0 if goal is MetricGoal.MAXIMIZE else 9.0
    figure = _search([*good, awful], goal=goal)

    low, high = figure.layout.yaxis.range

    assert low < 0.50 < 0.53 < high
    assert not low < awful < high


def test_a_reference_is_a_line_where_it_is_in_sight():
    references = [("naive", 0.1), ("run 4", 0.93)]

    figure = _search([0.92, 0.94], references=references)

    assert _words(figure) == ["run 4"]
    assert [shape.y0 for shape in figure.layout.shapes] == [0.93]


def test_equal_scores_still_span_a_range():
    low, high = _search([0.9, 0.9]).layout.yaxis.range

    assert low < 0.9 < high


def test_a_search_without_scores_can_be_drawn():
    assert _search([]).layout.yaxis.range == (0.0, 1.0)


def test_a_matrix_writes_every_count_with_its_share_of_the_true_class():
    figure = charts_runs.two_classes(Counts(tp=30, fp=5, tn=95, fn=10), "yes", "no")

    cells = dict(zip(figure.data[1].customdata, figure.data[1].text, strict=True))

    assert cells == {
        "true no, predicted no": "<b>95</b><br>95.0%",
        "true no, predicted yes": "<b>5</b><br>5.0%",
        "true yes, predicted no": "<b>10</b><br>25.0%",
        "true yes, predicted yes": "<b>30</b><br>75.0%",
    }


def test_a_class_nobody_belongs_to_does_not_divide_by_nothing():
    figure = charts_runs.confusion(Counts(tp=0, fp=0, tn=10, fn=0), "yes")

    assert "<b>0</b><br>0.0%" in figure.data[1].text


def test_many_classes_keep_their_numbers_for_the_hover():
    labels = tuple(f"class {i}" for i in range(12))
    matrix = ConfusionMatrix(labels=labels, matrix=tuple((1,) * 12 for _ in labels))

    figure = charts_runs.confusion_all(matrix)

    assert figure.data[1].mode == "markers"
    assert len(figure.data[1].text) == 144


def test_the_chosen_threshold_is_a_point_on_the_curve():
    curve = Curve(x=(0.0, 0.25, 1.0), y=(0.0, 0.75, 1.0), thresholds=(None, 0.5, 0.0))

    figure = charts_runs.roc(curve, Counts(tp=3, fp=1, tn=3, fn=1))

    assert (figure.data[-1].x, figure.data[-1].y) == ((0.25,), (0.75,))


def test_bars_of_one_name_stay_two_bars():
    figure = charts_runs.bars([("LightGBM", 0.6), ("LightGBM", 0.4)], title="Weight")

    assert figure.data[0].y == (0, 1)
    assert figure.layout.yaxis.ticktext == ("LightGBM", "LightGBM")


def test_residual_bars_are_as_wide_as_their_bins():
    figure = charts_runs.residuals(
        Residuals(edges=(-9, -1, 1, 4), counts=(1, 8, 2), mean=0.0, standard_deviation=1.0)
    )

    assert figure.data[0].x == (-5, 0, 2.5)
    assert figure.data[0].width == pytest.approx((7.52, 1.88, 2.82))
