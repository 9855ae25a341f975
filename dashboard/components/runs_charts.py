"""How good one child run really is: matrix, ROC, precision-recall, calibration, gain and lift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import charts_runs, formats, reads
from dashboard.components import empty, runs_child
from dashboard.run_facts import RunFacts
from services import leaderboard, run_charts, run_tables
from services.domain import Run, Task
from services.run_charts import AccuracyTable, ConfusionMatrix, Counts

GROUPS = ("Threshold", "Gain and lift")


def show(facts: RunFacts) -> None:
    standings = leaderboard.standings(facts.children, best_id=facts.run.best_child_id)
    ranked = [each.run for each in standings if each.rank is not None]
    if not ranked:
        empty.show("Charts are drawn from a child run that completed; none has yet.")
        return
    if facts.settings is not None and facts.settings.task is Task.REGRESSION:
        with st.container(horizontal=True):
            child = _child(ranked)
        _regression(child, label=facts.settings.label_column_name)
    else:
        _classification(ranked)


def _child(ranked: Sequence[Run]) -> Run:
    names = {
        run.id: f"{place} {run.display_name} · {formats.metric(run.score)}"
        for place, run in enumerate(ranked, start=1)
    }
    chosen = runs_child.show("Child run", names)
    return next(run for run in ranked if run.id == chosen)


def _classification(ranked: Sequence[Run]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        child = _child(ranked)
        table = run_tables.accuracy_table(reads.run_table(child.id, "accuracy_table"))
        matrix = run_tables.confusion_matrix(reads.run_table(child.id, "confusion_matrix"))
        label = st.selectbox(
            "Class", table.labels, index=table.index(table.rarest), key="class",
            bind="query-params", width=120, help="The class the curves and the threshold are about",
        )  # fmt: skip
        threshold = st.container()  # takes the room between, filled or not
        group = st.segmented_control(
            "Charts", GROUPS, default=GROUPS[0], required=True, key="charts", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
    if group == GROUPS[0]:
        with threshold:
            at = _chosen(table, matrix, label)
        _threshold(table, matrix, label, at)
    else:
        _gain_and_lift(table, label)


@dataclass(frozen=True, slots=True)
class _Chosen:
    threshold: float
    counts: Counts


def _chosen(table: AccuracyTable, matrix: ConfusionMatrix, label: str) -> _Chosen:
    asked = st.slider(
        f"Rows count as “{formats.plain(label)}” from a probability of",
        0.0, 1.0, run_charts.DECISION_THRESHOLD, 0.01, key="threshold", bind="query-params",
        format="%.2f",
        help="A run keeps its counts at 100 thresholds and at 0.50; the nearest one is shown.",
    )  # fmt: skip
    threshold = run_charts.nearest(run_charts.threshold_choices(table, matrix), asked)
    return _Chosen(threshold, run_charts.counts_at(table, matrix, label, threshold))


def _threshold(table: AccuracyTable, matrix: ConfusionMatrix, label: str, chosen: _Chosen) -> None:
    at = chosen.counts
    _figures(at)
    top = st.columns(2, gap="small")
    bottom = st.columns(2, gap="small")
    note = f"{formats.count(at.total)} validated rows, threshold {chosen.threshold:.3f}"
    with _card(top[0], "Confusion matrix", note):
        _plot(_confusion(matrix, label, at), "matrix", f"Confusion matrix for {label}")
    curve = run_charts.roc(table, label)
    with _card(top[1], "ROC", f"area {formats.metric(curve.area)}"):
        _plot(charts_runs.roc(curve, at), "roc", f"ROC curve for {label}")
    curve = run_charts.precision_recall(table, label)
    with _card(bottom[0], "Precision and recall", f"average {formats.metric(curve.area)}"):
        share = at.positives / at.total if at.total else None
        _plot(
            charts_runs.precision_recall(curve, at, prevalence=share),
            "pr",
            f"Precision by recall for {label}",
        )
    points = run_charts.calibration(table, label)
    with _card(bottom[1], "Calibration", f"expected error {formats.metric(points.error)}"):
        _plot(charts_runs.calibration(points), "calibration", f"Calibration for {label}")
    if len(matrix.labels) > 2:
        with _card(st.container(), "All classes", f"accuracy {formats.metric(matrix.accuracy)}"):
            _plot(charts_runs.confusion_all(matrix), "matrix-all", "Confusion matrix, all classes")


def _gain_and_lift(table: AccuracyTable, label: str) -> None:
    left, right = st.columns(2, gap="small")
    curve = run_charts.gain(table, label)
    with _card(left, "Cumulative gain", f"for {label}"):
        _plot(charts_runs.gain(curve), "gain", f"Share of {label} found by share of rows")
    with _card(right, "Lift", f"for {label}"):
        _plot(charts_runs.lift(run_charts.lift(table, label)), "lift", f"Lift for {label}")


def _regression(child: Run, *, label: str) -> None:
    left, right = st.columns(2, gap="small")
    residuals = run_tables.residuals(reads.run_table(child.id, "residuals"))
    spread = residuals.standard_deviation
    note = f"mean {residuals.mean:,.4g}, standard deviation {spread:,.4g}" \
        if residuals.mean is not None and spread is not None else ""  # fmt: skip
    with _card(left, "Residuals", note):
        _plot(charts_runs.residuals(residuals), "residuals", "Histogram of residuals")
    bins = run_tables.predicted_true(reads.run_table(child.id, "predicted_true"))
    with _card(right, "Predicted against true", f"{formats.count(sum(bins.counts))} rows"):
        _plot(
            charts_runs.predicted_true(bins, label=label),
            "predicted-true",
            f"Mean predicted {label} by true {label}",
        )


def _figures(at: Counts) -> None:
    figures: Mapping[str, float | None] = {
        "Accuracy": at.accuracy,
        "Precision": at.precision,
        "Recall": at.recall,
        "F1 score": at.f1,
        "False positive rate": at.false_positive_rate,
    }
    tiles = st.columns(len(figures))
    for tile, (name, value) in zip(tiles, figures.items(), strict=True):
        tile.metric(name, formats.metric(value), border=True)


def _confusion(matrix: ConfusionMatrix, label: str, at: Counts) -> go.Figure:
    if len(matrix.labels) == 2:
        other = next(each for each in matrix.labels if each != label)
        return charts_runs.two_classes(at, label, other)
    return charts_runs.confusion(at, label)


@contextmanager
def _card(place: Any, title: str, note: str) -> Iterator[None]:
    with place, st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**")
            st.space("stretch")
            st.caption(formats.plain(note), width="content")
        yield


def _plot(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, config=charts_runs.CONFIG, key=f"runs.{key}", alt=alt)
