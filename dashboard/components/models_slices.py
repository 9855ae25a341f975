"""How good a model is for whom: its metric on the rows that share a value of one column."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import charts, charts_compare, formats
from dashboard.components import evaluation_panel, table_height
from services import slices
from services.domain import Evaluation, EvaluationPlan, MetricGoal, Model, SliceScore, metric_goal


def show(model: Model) -> None:
    """Draw the rows to judge on and, once it is known, one column's slices."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset_id = evaluation_panel.rows_of(model, key="judged-on")
        column = st.container(width=240)
    plan = EvaluationPlan(model_id=model.id, dataset_id=dataset_id)

    def draw(found: Evaluation) -> None:
        with column:
            name = st.selectbox(
                "Column", list(dict.fromkeys(each.column for each in found.slices)),
                key="slice", bind="query-params",
            )  # fmt: skip
        _column(found, [each for each in found.slices if each.column == name], name)

    evaluation_panel.show(plan, draw, verb="Compute slices", key="models.slices")


def ranked(scores: Sequence[SliceScore], metric: str) -> list[SliceScore]:
    """Weakest first; slices with too few rows, or without a value, come last and have no rank."""
    sign = 1 if metric_goal(metric) is MetricGoal.MAXIMIZE else -1
    return sorted(
        scores,
        key=lambda each: (each.thin or each.value is None, sign * (each.value or 0.0)),
    )


def _column(found: Evaluation, scores: Sequence[SliceScore], name: str) -> None:
    placed = ranked(scores, found.metric)
    st.caption(
        f"{formats.plain(found.metric)} is {formats.metric(found.value)} on "
        f"{formats.plain(found.rows)}. Slices under {slices.MIN_ROWS} rows are grey and have no "
        "rank: so few rows say little."
    )
    left, right = st.columns(2, gap="small")
    with left.container(border=True):
        st.markdown(f"**{formats.plain(found.metric)} by {formats.plain(name)}**")
        st.plotly_chart(
            charts_compare.by_slice(placed, metric=found.metric, whole=found.value),
            config=charts.CONFIG,
            key="models.slices-chart",
            alt=f"{found.metric} of each slice of {name}, weakest first",
        )
    with right:
        _table(placed, found.row_count)


def _table(placed: Sequence[SliceScore], row_count: int) -> None:
    firm = [each for each in placed if not each.thin and each.value is not None]
    frame = pd.DataFrame(
        {
            "Rank": pd.Series(
                [firm.index(each) + 1 if each in firm else None for each in placed], dtype="Int64"
            ),
            "Slice": [each.label for each in placed],
            "Rows": [each.row_count for each in placed],
            "Share": [each.row_count / row_count for each in placed],
            "Value": pd.Series([each.value for each in placed], dtype="float64"),
            "Note": [
                "too few rows"
                if each.thin
                else "not defined: one class only"
                if each.value is None
                else ""
                for each in placed
            ],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=16),
        column_config={
            "Rank": st.column_config.NumberColumn("Weakest", format="%d", width=64),
            "Rows": st.column_config.NumberColumn("Rows", format="localized", width=70),
            "Share": st.column_config.NumberColumn("Share", format="percent", width=70),
            "Value": st.column_config.NumberColumn("Value", format="%.4f", width=80),
            "Note": st.column_config.TextColumn("Note", width=130),
        },
        placeholder="",
        alt="Slices with their rows and the metric on them, weakest first",
        key="models.slices-table",
    )
