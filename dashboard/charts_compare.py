"""Figures that hold runs, models or dataset versions against each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import charts, charts_runs

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
