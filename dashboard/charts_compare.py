"""Figures that hold runs, models or dataset versions against each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import charts, charts_runs
from services.domain import SliceScore
from services.drift import Bin
from services.importance_movement import Moved, Movement

POINT_LIMIT = 2_000
QUIET, HERE = charts_runs.QUIET, charts_runs.HERE


def metric_by_run(
    labels: Sequence[str],
    values: Sequence[float | None],
    *,
    metric: str,
    baseline: tuple[str, float] | None = None,
) -> go.Figure:
    """One metric of every run, in the order given; the baseline is drawn as a line.

    Args:
        baseline: its label and its value.
    """
    step = max(1, -(-len(labels) // POINT_LIMIT))
    shown = [(label, value) for label, value in list(zip(labels, values, strict=True))[::step]]
    trace = {
        "type": "scatter",
        "x": list(range(1, len(shown) + 1)),
        "y": [value for _, value in shown],
        "text": [label for label, _ in shown],
        "mode": "lines+markers" if len(shown) <= 60 else "markers",
        "line": {"width": 1},
        "marker": {"size": 7 if len(shown) <= 60 else 5},
        "hovertemplate": "%{text}: %{y:,.5~g}<extra></extra>",
        "showlegend": False,
    }
    layout = charts.layout(height=250, x_title="Runs, in the order of the table", y_title=metric)
    layout["yaxis"] |= {"rangemode": "normal", "tickformat": ",.4~f"}
    layout |= {"hovermode": "closest", "margin": {"l": 8, "r": 8, "t": 12, "b": 8}}
    if baseline is not None:
        label, value = baseline
        layout["shapes"] = [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
             "line": {"dash": "dot", "width": 1.5, "color": HERE}}
        ]  # fmt: skip
        layout["annotations"] = [
            {"xref": "paper", "x": 1, "y": value, "text": plain(label), "showarrow": False,
             "xanchor": "right", "yanchor": "bottom", "font": {"size": 11, "color": HERE}}
        ]  # fmt: skip
    return go.Figure({"data": [trace], "layout": layout})


def plain(text: str) -> str:
    """Text as a label. Plotly reads a few HTML tags: without ``<`` there are none."""
    short = text if len(text) <= 28 else f"{text[:27]}…"
    return short.replace("<", "‹").replace(">", "›")


def slopes(moved: Sequence[Moved], *, before: str, after: str) -> go.Figure:
    """Each feature's share of the importance in two models, joined by a line."""
    colors = {
        Movement.UP: "rgb(79, 140, 90)",
        Movement.DOWN: HERE,
        Movement.NEW: "rgb(79, 70, 229)",
        Movement.VANISHED: "rgb(194, 65, 12)",
        Movement.SAME: QUIET,
    }
    ends = [plain(before), plain(after)]
    readable = _apart(moved)
    traces = [
        {
            "type": "scatter",
            "x": ends,
            "y": [each.share_before, each.share_after],
            "mode": "lines+markers+text",
            "text": ["", f" {plain(each.feature)}" if each.feature in readable else ""],
            "textposition": "middle right",
            "textfont": {"size": 11},
            "line": {"color": colors[each.movement], "width": 1 + 2 * (each.steps != 0)},
            "marker": {"size": 6},
            "name": plain(each.feature),
            "hovertemplate": "%{fullData.name}: %{y:.1%}<extra></extra>",
            "showlegend": False,
            "cliponaxis": False,
        }
        for each in moved
    ]
    layout = charts.layout(height=320, y_title="Share of importance")
    layout["yaxis"] |= {"tickformat": ".0%"}
    layout["xaxis"] |= {"type": "category", "range": [-0.15, 1.6]}
    layout |= {"hovermode": "closest", "margin": {"l": 8, "r": 8, "t": 12, "b": 8}}
    return go.Figure({"data": traces, "layout": layout})


def _apart(moved: Sequence[Moved]) -> set[str]:
    """Features whose labels lie far enough from each other; the others are named on hover."""
    step = 0.05 * max((max(each.share_before, each.share_after) for each in moved), default=0.0)
    found: set[str] = set()
    last = float("inf")
    for each in sorted(moved, key=lambda one: -one.share_after):
        if last - each.share_after >= step:
            found.add(each.feature)
            last = each.share_after
    return found


def by_slice(scores: Sequence[SliceScore], *, metric: str, whole: float | None) -> go.Figure:
    """A metric per slice, in the order given; thin slices are grey, the whole is a line."""
    shown = [each for each in scores if each.value is not None]
    firm = "rgb(79, 70, 229)"
    trace = {
        "type": "scatter",
        "x": [each.value for each in shown],
        "y": [plain(each.label) for each in shown],
        "mode": "markers",
        "marker": {
            "size": [9 if each.thin else 12 for each in shown],
            "color": [QUIET if each.thin else firm for each in shown],
            "symbol": ["circle-open" if each.thin else "circle" for each in shown],
        },
        "customdata": [f"{each.row_count:,} rows" for each in shown],
        "hovertemplate": "%{y}: %{x:.4f}, %{customdata}<extra></extra>",
        "showlegend": False,
    }
    layout = charts.layout(height=max(220, 60 + 26 * len(shown)), x_title=metric)
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "title": None}
    layout["xaxis"] |= {"showgrid": True, "gridcolor": charts.GRID, "tickformat": ".3~f"}
    layout |= {"hovermode": "closest", "margin": {"l": 8, "r": 16, "t": 20, "b": 8}}
    if whole is not None:
        layout["shapes"] = [
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": whole, "x1": whole,
             "line": {"dash": "dot", "width": 1, "color": QUIET}}
        ]  # fmt: skip
        layout["annotations"] = [
            {"yref": "paper", "y": 1, "x": whole, "text": "all rows", "showarrow": False,
             "yanchor": "bottom", "font": {"size": 11, "color": QUIET}}
        ]  # fmt: skip
    return go.Figure({"data": [trace], "layout": layout})


def overlay(bins: Sequence[Bin], *, before: str, after: str) -> go.Figure:
    """A column's shares in two tables, side by side per bin."""
    labels = [plain(each.label) for each in bins]
    traces = [
        {
            "type": "bar",
            "x": labels,
            "y": shares,
            "name": plain(name),
            "marker": {"color": color},
            "hovertemplate": "%{y:.1%}",
        }
        for name, shares, color in (
            (before, [each.reference for each in bins], QUIET),
            (after, [each.current for each in bins], "rgb(79, 70, 229)"),
        )
    ]
    layout = charts.layout(height=320, y_title="Share of rows")
    layout["yaxis"] |= {"tickformat": ".0%"}
    layout["xaxis"] |= {"type": "category"}
    return go.Figure({"data": traces, "layout": layout | {"barmode": "group", "bargap": 0.25}})
