"""What every figure shares; each page's own figures are in ``charts_….py``. Pure."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

CONFIG: dict[str, Any] = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
GRID = "rgba(128, 128, 128, 0.18)"


def base_layout(
    figure: go.Figure, *, height: int = 260, x_title: str = "", y_title: str = "", y_unit: str = ""
) -> go.Figure:
    """Give a figure the dashboard's frame: tight margins, quiet grid, legend above, one hover.

    Colours of text and background are left to Streamlit's theme, so light and dark both fit.

    Args:
        height: Pixels.
        y_unit: Written after each tick, ``" ms"``.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        bargap=0.12,
    )
    figure.update_xaxes(title=x_title or None, showgrid=False, automargin=True)
    figure.update_yaxes(
        title=y_title or None,
        ticksuffix=y_unit or None,
        gridcolor=GRID,
        zeroline=False,
        rangemode="tozero",
        automargin=True,
    )
    return figure
