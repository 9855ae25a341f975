"""Figures of the Dataset page: how a column's values are spread. Pure."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard import charts, formats
from services.domain import ColumnProfile, ColumnType

SHOWN_VALUES = 12


def distribution(column: ColumnProfile, row_count: int, *, height: int = 260) -> go.Figure:
    """Bins of a number, or the most frequent values of anything else."""
    if column.histogram:
        return _histogram(column, height=height)
    return _frequent(column, row_count, height=height)


def describe(column: ColumnProfile, row_count: int) -> str:
    """The same figure in words, for who cannot see it."""
    if column.histogram:
        low, high = column.histogram[0][0], column.histogram[-1][1]
        peak = max(column.histogram, key=lambda each: each[2])
        return (
            f"Histogram of {column.name} from {low:g} to {high:g}; "
            f"most rows, {formats.count(peak[2])}, lie between {peak[0]:g} and {peak[1]:g}"
        )
    shares = ", ".join(
        f"{value} {formats.percent(count / row_count)}" for value, count in column.top_values[:5]
    )
    return f"Most frequent values of {column.name}: {shares or 'none'}"


def _histogram(column: ColumnProfile, *, height: int) -> go.Figure:
    whole = column.type is ColumnType.INTEGER
    labels = [_bin(start, end, whole=whole) for start, end, _ in column.histogram]
    figure = go.Figure(
        go.Bar(
            x=[(start + end) / 2 for start, end, _ in column.histogram],
            y=[count for *_, count in column.histogram],
            width=[(end - start) * 0.94 for start, end, _ in column.histogram],
            customdata=labels,
            hovertemplate="%{customdata}: %{y:,} rows<extra></extra>",
        )
    )
    charts.base_layout(figure, height=height, x_title=_short(column.name), y_title="Rows")
    figure.update_yaxes(tickformat=",")
    return figure.update_layout(hovermode="closest", margin={"t": 8})


def _bin(start: float, end: float, *, whole: bool) -> str:
    if not whole:
        return f"{start:,.4g} to {end:,.4g}"
    first, last = round(start + 0.5), round(end - 0.5)
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _frequent(column: ColumnProfile, row_count: int, *, height: int) -> go.Figure:
    shown = column.top_values[:SHOWN_VALUES]
    shares = [count / max(row_count, 1) for _, count in shown]
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=[_short(value) for value, _ in shown],
            orientation="h",
            customdata=[count for _, count in shown],
            text=[formats.percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{customdata:,} rows, %{x:.2%}<extra></extra>",
        )
    )
    charts.base_layout(figure, height=height, x_title="Share of rows")
    figure.update_xaxes(tickformat=".0%", showgrid=True, gridcolor=charts.GRID, rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure.update_layout(hovermode="closest", bargap=0.4, margin={"t": 8, "r": 48})


def _short(value: str) -> str:
    """A value as an axis label. Plotly reads a few HTML tags: without ``<`` there are none."""
    text = value if len(value) <= 28 else f"{value[:27]}…"
    return text.replace("<", "‹").replace(">", "›")
