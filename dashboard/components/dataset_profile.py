"""The profile: how balanced the target is, how a column is spread, and every column's figures."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import charts, charts_dataset, drawing, formats, once
from dashboard.components import table_height
from services.domain import ColumnProfile, ColumnType, DatasetProfile

FREQUENT = 3  # values named in the table
HEADING_PX = 42  # a selectbox high, so that the two charts start level
WHERE_BARS_STOP = 12  # values drawn as bars in a cell

_distribution = drawing.drawn(charts_dataset.distribution)


def show(profile: DatasetProfile, target: str) -> None:
    """Draw two charts over the table of columns. `target` is one of its columns."""
    balance, spread = st.columns(2)
    with balance.container(border=True, height="stretch", gap="xsmall"):
        _balance(profile.column(target), profile.row_count)
    with spread.container(border=True, height="stretch", gap="xsmall"):
        _spread(profile, target)
    _table(profile)


def _balance(column: ColumnProfile, row_count: int) -> None:
    with _heading():
        st.markdown(f"**Target balance of {formats.plain(column.name)}**")
    quantity = column.histogram and column.distinct_count > WHERE_BARS_STOP
    st.caption(_in_words(column, row_count) if not quantity else _figures(column))
    _chart(column, row_count, key="dataset.balance")


def _spread(profile: DatasetProfile, target: str) -> None:
    names = [column.name for column in profile.columns]
    with _heading():
        st.markdown("**Distribution of**", width="content")
        name = st.selectbox(
            "Column",
            names,
            index=1 if names[0] == target and len(names) > 1 else 0,
            key="column",
            bind="query-params",
            label_visibility="collapsed",
            width=220,
        )
    column = profile.column(name)
    st.caption(
        _figures(column) if column.mean is not None else _in_words(column, profile.row_count)
    )
    _chart(column, profile.row_count, key="dataset.spread")


def _heading() -> DeltaGenerator:
    return st.container(
        horizontal=True, vertical_alignment="center", height=HEADING_PX, border=False
    )


def _chart(column: ColumnProfile, row_count: int, *, key: str) -> None:
    if not column.top_values:
        st.caption("Every value is missing.")
        return
    st.plotly_chart(
        _distribution(column, row_count),
        key=key,
        config=charts.CONFIG,
        alt=charts_dataset.describe(column, row_count),
    )


def _in_words(column: ColumnProfile, row_count: int) -> str:
    rarest = min((count for _, count in column.top_values), default=0)
    if column.distinct_count == 2 and row_count:
        value = next(value for value, count in column.top_values if count == rarest)
        return f"{formats.percent(rarest / row_count)} of the rows are {formats.plain(value)}."
    return f"{formats.plural(column.distinct_count, 'distinct value')}" + (
        f", the {charts_dataset.SHOWN_VALUES} most frequent shown"
        if column.distinct_count > charts_dataset.SHOWN_VALUES
        else ""
    )


def _figures(column: ColumnProfile) -> str:
    parts = [
        f"mean {_number(column.mean)}",
        f"median {_number(column.quartiles[1] if column.quartiles else None)}",
        f"from {_number(column.minimum)} to {_number(column.maximum)}",
    ]
    for value in column.sentinels:
        count = dict(column.top_values).get(str(int(value)), 0)
        parts.append(
            f"{_number(value)} stands for “none” in {formats.count(count)} rows, not drawn"
        )
    return " · ".join(parts)


def _table(profile: DatasetProfile) -> None:
    frame = _frame(profile)
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=30),
        column_config={
            "Column": st.column_config.TextColumn("Column", pinned=True, width=130),
            "Type": st.column_config.TextColumn("Type", width=80),
            "Distribution": st.column_config.BarChartColumn(
                "Distribution", y_min=0, width=150,
                help="Bins of a number; otherwise the most frequent values",
            ),
            "Missing": st.column_config.NumberColumn("Missing", format="localized", width=80),
            "Missing share": st.column_config.ProgressColumn(
                "Missing share", format="percent", min_value=0, max_value=1, width=110
            ),
            "Distinct": st.column_config.NumberColumn("Distinct", format="localized", width=80),
            **{
                name: st.column_config.TextColumn(name, alignment="right", width=90)
                for name in ("Smallest", "Largest", "Mean", "Deviation")
            },
            "Most frequent": st.column_config.TextColumn("Most frequent", width="large"),
        },
        placeholder="–",
        alt="Every column with its type, distribution, missing, distinct and frequent values",
        key="dataset.profile",
    )  # fmt: skip


@once.once
def _frame(profile: DatasetProfile) -> pd.DataFrame:
    frame = pd.DataFrame([_row(column, profile.row_count) for column in profile.columns])
    return frame if frame["Missing"].any() else frame.drop(columns="Missing share")


def _row(column: ColumnProfile, row_count: int) -> dict[str, Any]:
    counts = [count for *_, count in column.histogram] or [
        count for _, count in column.top_values[:WHERE_BARS_STOP]
    ]
    return {
        "Column": column.name,
        "Type": column.type.value,
        "Distribution": counts,
        "Missing": column.missing_count,
        "Missing share": column.missing_count / row_count if row_count else 0.0,
        "Distinct": column.distinct_count,
        "Smallest": _number(column.minimum),
        "Largest": _number(column.maximum),
        "Mean": _number(column.mean),
        "Deviation": _number(column.standard_deviation),
        "Most frequent": _frequent(column, row_count),
    }


def _frequent(column: ColumnProfile, row_count: int) -> str:
    if column.type is ColumnType.NUMBER and column.distinct_count > row_count / 2:
        return ""
    return ", ".join(
        f"{value} {_share(count / row_count)}" for value, count in column.top_values[:FREQUENT]
    )


def _share(share: float) -> str:
    return formats.percent(share) if share >= 0.0005 else "<0.1 %"


def _number(value: float | str | None) -> str:
    """A number, or an instant as it is."""
    return value.replace("T", " ") if isinstance(value, str) else formats.number(value)
