"""Figures about load tests. Pure: records in, Plotly figures out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from dashboard import formats
from dashboard.charts import base_layout
from services import percentiles
from services.domain import BenchReport

HEIGHT = 250
QUIET = "rgba(128, 128, 128, 0.75)"
MARKED = (50, 95, 99)
TICKS = (0, 50, 75, 90, 95, 98, 99)


def histogram(report: BenchReport) -> go.Figure:
    """How many requests took how long, with the percentiles the sample supports marked."""
    marks = tuple(
        (f"p{rank}", report.percentiles_ms[rank])
        for rank in MARKED
        if rank in report.percentiles_ms and percentiles.supported(rank, report.complete_count)
    )
    return _histogram(report.histogram, marks)


def curve(report: BenchReport) -> go.Figure:
    """Response time by percentile; the tail is stretched, and dotted where it is guesswork.

    Each step to the right is a rarer request: p90 is one in ten, p99 one in a hundred.
    """
    return _curve(tuple(sorted(report.percentiles_ms.items())), report.complete_count)


@lru_cache(maxsize=64)  # a report never changes, and a figure costs more than the rest of the page
def _histogram(
    bins: tuple[tuple[float, float, int], ...], marks: tuple[tuple[str, float], ...]
) -> go.Figure:
    starts = [start for start, _, _ in bins]
    ends = [end for _, end, _ in bins]
    counts = [count for _, _, count in bins]
    figure = go.Figure(
        go.Bar(
            x=[(start + end) / 2 for start, end in zip(starts, ends, strict=True)],
            y=counts,
            width=[end - start for start, end in zip(starts, ends, strict=True)],
            customdata=[
                f"{formats.milliseconds(start)} to {formats.milliseconds(end)}"
                for start, end in zip(starts, ends, strict=True)
            ],
            hovertemplate="%{customdata}: %{y:,} requests<extra></extra>",
            marker={"line": {"width": 0}},
        )
    )
    base_layout(figure, height=HEIGHT, x_title="Response time (ms)", y_title="Requests")
    figure.update_layout(
        bargap=0.06,
        hovermode="closest",
        showlegend=False,
        shapes=[_line_at(value_ms) for _, value_ms in marks],
        annotations=[_label(name, value_ms, level) for level, (name, value_ms) in enumerate(marks)],
    )
    return figure


@lru_cache(maxsize=64)
def _curve(points: tuple[tuple[int, float], ...], count: int) -> go.Figure:
    times_ms = dict(points)
    ranks = list(times_ms)
    last = max(ranks)
    solid = [
        rank for rank in ranks if rank == 0 or (rank < 100 and percentiles.supported(rank, count))
    ]
    dotted = [rank for rank in ranks if rank >= max(solid, default=0)]
    figure = go.Figure(
        [
            _line(times_ms, solid, "Measured", "solid"),
            _line(times_ms, dotted, "Too few to tell", "dot"),
        ]
    )
    base_layout(figure, height=HEIGHT, x_title="Percentile of requests", y_title="", y_unit=" ms")
    ticks = [rank for rank in TICKS if rank >= ranks[0] and rank < last]
    figure.update_xaxes(
        tickvals=[_stretched(rank) for rank in (*ticks, 100)],
        ticktext=[*(f"p{rank}" if rank else "fastest" for rank in ticks), "slowest"],
        range=[_stretched(ranks[0]) - 0.05, _stretched(100) + 0.12],
        showgrid=True,
        gridcolor="rgba(128, 128, 128, 0.12)",
    )
    figure.update_layout(showlegend=len(dotted) > 2, hovermode="closest")
    return figure


def _line(times_ms: Mapping[int, float], ranks: list[int], name: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=[_stretched(rank) for rank in ranks],
        y=[times_ms[rank] for rank in ranks],
        customdata=[[_name(rank), formats.milliseconds(times_ms[rank])] for rank in ranks],
        mode="lines+markers" if len(times_ms) < 20 else "lines",
        line={"dash": dash, "width": 2, "shape": "linear"},
        marker={"size": 6},
        name=name,
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )


def _stretched(rank: int) -> float:
    """p90, p99 and the slowest stand at equal steps."""
    return 2.4 if rank >= 100 else -math.log10(1 - rank / 100)


def _name(rank: int) -> str:
    return {0: "fastest", 100: "slowest"}.get(rank, f"p{rank}")


def _line_at(value_ms: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": value_ms,
        "x1": value_ms,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"dash": "dot", "width": 1, "color": QUIET},
    }


def _label(name: str, value_ms: float, level: int) -> dict[str, Any]:
    """A percentile beside its line; neighbouring labels stand at different heights."""
    return {
        "x": value_ms,
        "y": 1 - 0.11 * level,
        "yref": "paper",
        "text": f"{name} {formats.milliseconds(value_ms)}",
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "font": {"size": 11, "color": QUIET},
    }
