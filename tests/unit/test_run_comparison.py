"""Runs side by side: what differs comes first, baselines stay in front, changes add up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import run_comparison
from services.domain import Run, RunKind, RunStatus
from services.run_comparison import Group

START = datetime(2024, 5, 1, tzinfo=UTC)


def run(number, *, score=0.9, metric="AUC_weighted", properties=None, **fields):
    return Run(
        id=f"run-{number}",
        experiment="bank",
        number=number,
        kind=RunKind.AUTOML,
        display_name=f"run {number}",
        status=RunStatus.COMPLETED,
        created_at=START + timedelta(hours=number),
        primary_metric=metric,
        score=score,
        properties=properties or {},
        **fields,
    )


def line(lines, name):
    return next(each for each in lines if each.name == name)


def test_what_differs_comes_before_what_is_the_same():
    one = run(1, score=0.9, properties={"AMLSettingsJsonString": '{"seed": 1, "iterations": 5}'})
    two = run(2, score=0.9, properties={"AMLSettingsJsonString": '{"seed": 2, "iterations": 5}'})

    lines = run_comparison.lines([one, two], {})

    assert [(each.name, each.differs) for each in lines][0] == ("seed", True)
    assert not line(lines, "iterations").differs
    assert not line(lines, "AUC_weighted").differs


def test_a_value_a_run_lacks_is_missing_and_makes_a_difference():
    lines = run_comparison.lines([run(1), run(2)], {"run-1": {"f1": 0.5}})

    assert line(lines, "f1").values == (0.5, None)
    assert line(lines, "f1").differs


def test_a_parent_is_compared_by_the_metrics_of_its_best_child():
    parent = run(1, best_child_id="child")

    lines = run_comparison.lines([parent, run(2)], {"child": {"f1": 0.5}})

    assert run_comparison.metric_ids([parent, run(2)]) == ("child", "run-2")
    assert line(lines, "f1").values == (0.5, None)


def test_settings_parameters_and_libraries_are_read_from_what_azure_writes():
    spec = {"objects": [{"class_name": "LightGBM", "param_kwargs": {"num_leaves": 31}}]}
    properties = {
        "pipeline_spec": json.dumps(spec),
        "dependencies_versions": '{"lightgbm": "4.6.0"}',
        "AMLSettingsJsonString": "not JSON",
    }

    lines = run_comparison.lines([run(1, properties=properties), run(2)], {})

    assert line(lines, "num_leaves").group is Group.PARAMETER
    assert line(lines, "lightgbm").group is Group.LIBRARY


def test_the_better_direction_belongs_to_the_metric():
    assert run_comparison.improves("AUC_weighted", 0.1) is True
    assert run_comparison.improves("log_loss", 0.1) is False
    assert run_comparison.improves("log_loss", 0.0) is None


@pytest.mark.parametrize("by", ["AUC_weighted", "log_loss", "Newest first", "never logged"])
def test_the_baseline_stays_first_whatever_the_order(by):
    runs = [run(number, score=number / 10) for number in range(1, 6)]
    metrics = {each.id: {"log_loss": 1 - each.score} for each in runs}

    for pinned in runs:
        placed = run_comparison.ordered(
            runs, by=by, metrics=metrics, baseline_ids=frozenset({pinned.id})
        )
        assert placed[0] is pinned
        assert {each.id for each in placed} == {each.id for each in runs}


def test_runs_without_the_metric_come_last():
    runs = [run(1, score=None), run(2, score=0.5), run(3, score=0.7)]

    placed = run_comparison.ordered(runs, by="AUC_weighted", metrics={})

    assert [each.number for each in placed] == [3, 2, 1]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=2, max_size=12))
def test_a_line_differs_exactly_when_two_runs_disagree(values):
    runs = [run(number, score=None) for number in range(len(values))]
    metrics = {
        each.id: {"f1": value}
        for each, value in zip(runs, values, strict=True)
        if value is not None
    }

    lines = run_comparison.lines(runs, metrics)

    if any(value is not None for value in values):
        found = line(lines, "f1")
        assert found.values == tuple(values)
        assert found.differs is (len(set(values)) > 1)
    else:
        assert all(each.name != "f1" for each in lines)
