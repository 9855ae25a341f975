"""What every figure shares; each page's own figures are in ``charts_….py``. Pure."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

CONFIG: dict[str, Any] = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
GRID = "rgba(128, 128, 128, 0.18)"


def layout(
    *, height: int = 260, x_title: str = "", y_title: str = "", y_unit: str = ""
) -> dict[str, Any]:
    """The dashboard's frame: tight margins, quiet grid, legend above, one hover.

    Colours of text and background are left to Streamlit's theme, so light and dark both fit.
    To build a figure from traces and layout at once costs a quarter of updating it step by step.

    Args:
        height: Pixels.
        y_unit: Written after each tick, ``" ms"``.
    """
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        "bargap": 0.12,
        "xaxis": {"title": x_title or None, "showgrid": False, "automargin": True},
        "yaxis": {
            "title": y_title or None,
            "ticksuffix": y_unit or None,
            "gridcolor": GRID,
            "zeroline": False,
            "rangemode": "tozero",
            "automargin": True,
        },
    }


def base_layout(
    figure: go.Figure, *, height: int = 260, x_title: str = "", y_title: str = "", y_unit: str = ""
) -> go.Figure:
    """Give a finished figure the frame of `layout`, all its axes alike."""
    frame = layout(height=height, x_title=x_title, y_title=y_title, y_unit=y_unit)
    figure.update_xaxes(frame.pop("xaxis"))
    figure.update_yaxes(frame.pop("yaxis"))
    return figure.update_layout(frame)
