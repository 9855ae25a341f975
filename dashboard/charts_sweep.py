"""The figure of a feature sweep. Pure: curves in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import base_layout
from services.feature_sweep import Curve

HEIGHT = 340
MARK = "rgba(214, 69, 69, 0.9)"


def drawn(
    curves: Sequence[Curve],
    asked: Sequence[Any],
    *,
    column: str,
    of_class: str | None,
    ordered: bool,
    disagreements: Sequence[int],
) -> go.Figure:
    """Lines over a range, bars over categories; crosses where the labels differ.

    Args:
        of_class: draw the probability of this class; None: the predictions themselves.
        disagreements: positions in `asked`.
    """
    x = list(asked) if ordered else [str(each) for each in asked]
    figure = go.Figure(
        [_curve(each, x, heights(each, of_class), ordered, of_class) for each in curves]
    )
    if disagreements:
        tops = heights(curves[-1], of_class)
        figure.add_trace(
            go.Scatter(
                x=[x[at] for at in disagreements],
                y=[tops[at] for at in disagreements],
                mode="markers",
                name="They disagree",
                marker={"symbol": "x", "size": 9, "color": MARK},
                hoverinfo="skip",
            )
        )
    y_title = f"Probability of {of_class}" if of_class else "Prediction"
    base_layout(figure, height=HEIGHT, x_title=column, y_title=y_title)
    if of_class:
        figure.update_yaxes(range=[0, 1], tickformat=".0%")
    return figure.update_layout(barmode="group")


def heights(curve: Curve, of_class: str | None) -> list[Any]:
    """What is drawn of each value."""
    if of_class is None:
        return [each if isinstance(each, int | float) else str(each) for each in curve.labels]
    return [each.get(of_class) for each in curve.probabilities]


def _curve(
    curve: Curve, x: list[Any], y: list[Any], ordered: bool, of_class: str | None
) -> go.Scatter | go.Bar:
    if not ordered and of_class is not None:
        return go.Bar(x=x, y=y, name=curve.deployment)
    mode = "lines+markers" if ordered else "markers"
    line = {"shape": "linear" if of_class else "hv"}
    return go.Scatter(
        x=x, y=y, name=curve.deployment, mode=mode, line=line, marker={"size": 5 if ordered else 10}
    )
