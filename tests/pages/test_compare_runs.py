"""Comparing runs: chosen by the address, what differs first, the baseline in front."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
import streamlit as st

from dashboard.components import compare_runs
from services import run_comparison
from tests.recorded import runs

EXPERIMENT = "bank-marketing"


@pytest.fixture
def recorded(local_workspace):
    """Three searches that differ in their candidates; their ids, oldest first."""
    return [
        runs.automl(
            local_workspace.home,
            local_workspace.store,
            candidates=runs.CANDIDATES[place:],
            started=runs.STARTED + timedelta(days=place),
        )
        for place in range(3)
    ]


def table(page):
    (found,) = [each for each in page.dataframe if "Value" in each.value]
    return found.value.set_index("Value")


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def test_a_link_reopens_the_same_runs(open_page, recorded):
    page = open_page("training_runs", compare=EXPERIMENT, runs=["Run 1", "Run 6"])

    assert not page.exception
    found = table(page)
    assert set(found.columns) == {"From", "Run 1", "Run 6"}
    assert found.loc["AUC_weighted", "Run 1"] != found.loc["AUC_weighted", "Run 6"]


def test_what_is_the_same_vanishes_when_only_differences_are_wanted(open_page, recorded):
    everything = table(open_page("training_runs", compare=EXPERIMENT, only="false"))
    differing = table(open_page("training_runs", compare=EXPERIMENT))

    assert "label_column_name" in everything.index
    assert "label_column_name" not in differing.index
    assert list(everything.index[: len(differing)]) == list(differing.index)


@pytest.mark.parametrize("by", ["Newest first", "AUC_weighted", "log_loss"])
def test_the_baseline_stays_first_whatever_the_order(open_page, local_workspace, recorded, by):
    pinned = local_workspace.runs.get(recorded[1])
    local_workspace.baselines.pin(EXPERIMENT, pinned.id)

    found = table(open_page("training_runs", compare=EXPERIMENT, by=by))

    assert found.columns[1] == f"Run {pinned.number}"


def test_every_other_run_shows_its_change_from_the_baseline(open_page, local_workspace, recorded):
    first, pinned = (local_workspace.runs.get(each) for each in recorded[:2])
    local_workspace.baselines.pin(EXPERIMENT, pinned.id)

    found = table(open_page("training_runs", compare=EXPERIMENT, runs=[f"Run {first.number}"]))

    change = first.score - pinned.score
    mark = "▲" if change > 0 else "▼" if change < 0 else "="
    assert mark in found.loc["AUC_weighted", f"Run {first.number}"]
    assert found.loc["AUC_weighted", f"Run {pinned.number}"] == f"{pinned.score:.4f}"


def test_the_list_keeps_the_pinned_run_first_and_shows_changes(
    open_page, local_workspace, recorded
):
    local_workspace.baselines.pin(EXPERIMENT, recorded[0])

    page = open_page("training_runs", order="Newest first")

    (found,) = page.dataframe
    assert "keep" in found.value["Run"].iloc[0]
    scores = found.value["Score"]
    assert list(found.value["Change"].iloc[1:]) == pytest.approx(list(scores.iloc[1:] - scores[0]))


def test_a_pin_is_made_and_released_in_the_run_itself(open_page, local_workspace, recorded):
    page = open_page("training_runs", run=recorded[2])

    page.button(key="runs.pin").click().run()
    assert [pin.run_id for pin in local_workspace.baselines.list()] == [recorded[2]]
    page.button(key="runs.pin").click().run()
    assert local_workspace.baselines.list() == ()


def test_choosing_a_baseline_beside_the_table_pins_it(open_page, local_workspace, recorded):
    page = open_page("training_runs", compare=EXPERIMENT)

    page.selectbox(key="compare.baseline").set_value(recorded[0]).run()

    assert [pin.run_id for pin in local_workspace.baselines.list()] == [recorded[0]]
    assert table(page).columns[1] == f"Run {local_workspace.runs.get(recorded[0]).number}"


def test_a_pin_whose_run_is_gone_breaks_nothing(open_page, local_workspace, recorded):
    local_workspace.baselines.pin(EXPERIMENT, "gone")

    listed = open_page("training_runs")
    compared = open_page("training_runs", compare=EXPERIMENT)

    assert not listed.exception and not compared.exception
    assert compared.selectbox(key="compare.baseline").value == "gone"


def test_the_children_of_a_search_are_compared_in_its_own_view(open_page, recorded):
    page = open_page("training_runs", run=recorded[0], **{"run-view": "Compare"})

    found = table(page)
    assert len(found.columns) == 1 + len(runs.CANDIDATES)
    assert found.loc["Status"].nunique() > 1


def test_charts_are_drawn_only_when_asked_for(open_page, recorded):
    assert not open_page("training_runs", compare=EXPERIMENT).get("plotly_chart")

    drawn = open_page("training_runs", compare=EXPERIMENT, **{"compare-view": "Charts"})

    figures = [json.loads(each.proto.spec) for each in drawn.get("plotly_chart")]
    assert len(figures) == 2
    assert all(len(each["data"][0]["x"]) == 3 for each in figures)


def test_one_run_alone_is_told_to_find_company(open_page, recorded):
    page = open_page("training_runs", compare=EXPERIMENT, runs=["Run 1"])

    assert "choose another one" in texts(page)


def test_ticked_rows_are_what_is_compared(open_page, local_workspace, recorded):
    page = open_page("training_runs")
    page.session_state["runs.chosen"] = tuple(recorded[:2])

    page.run()
    page.button(key="runs.compare").click().run()

    assert not page.exception
    assert len(table(page).columns) == 3
    assert page.query_params["compare"] == EXPERIMENT
    assert sorted(page.query_params["runs"]) == ["Run 1", "Run 6"]
    page.button(key="compare.back").click().run()
    assert not page.exception
    assert {"compare", "runs"}.isdisjoint(page.query_params)


def test_two_hundred_runs_are_compared_at_once(open_page, local_workspace):
    journal_runs(local_workspace, 200)

    began = time.process_time()
    page = open_page("training_runs", compare=EXPERIMENT)
    spent_s = time.process_time() - began

    assert not page.exception
    assert len(table(page).columns) == 201
    assert spent_s < 30  # only a runaway; `measure` prints what it really takes


def journal_runs(workspace, count):
    """That many completed searches, straight into the store."""
    import random

    from services.domain import AutoMLSettings, RunStatus
    from services.local.automl_request import parent_properties
    from services.local.run_journal import RunJournal

    draw = random.Random(1)
    ticking = runs.Ticking()
    journal = RunJournal(workspace.home, workspace.store, clock=ticking)
    for number in range(count):
        ticking.pass_by(60)
        settings = AutoMLSettings(
            experiment=EXPERIMENT,
            dataset_id="bank:1",
            label_column_name="y",
            seed=number,
            experiment_timeout_minutes=5 + number % 3,
        )
        parent = journal.queue_automl(settings, parent_properties(settings))
        child = journal.start_child(parent, 0, "MaxAbsScaler, LightGBM", {})
        score = 0.9 + draw.random() / 20
        names = [f"metric_{each}" for each in range(20)]
        journal.complete_child(
            child,
            score=score,
            metrics={"AUC_weighted": score} | {name: draw.random() for name in names},
            tables={},
            properties={"fit_time": "1"},
        )
        journal.settle(parent, RunStatus.COMPLETED)


def test_a_table_of_two_hundred_runs_is_quickly_made(local_workspace):
    journal_runs(local_workspace, 200)
    everything = local_workspace.runs.list(EXPERIMENT)
    names = compare_runs.labels(everything)
    metrics = local_workspace.runs.metrics(run_comparison.metric_ids(everything))
    st.cache_data.clear()

    began = time.process_time()
    lines = run_comparison.lines(everything, metrics)
    found = compare_runs.frame(lines, everything, names, {EXPERIMENT: everything[5]})
    spent_s = time.process_time() - began

    assert found.shape == (len(lines), 202)
    assert spent_s < 5
