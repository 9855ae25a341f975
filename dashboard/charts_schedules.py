"""Schedules by day, as a figure. Pure: cells in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.charts import base_layout
from dashboard.schedule_days import MISSED, REFUSED, Cell

# By colour and by shape, as in the grid of steps.
LOOK: dict[str, tuple[str, str]] = {
    "Completed": ("rgb(34, 160, 80)", "square"),
    "Failed": ("rgb(220, 55, 55)", "x"),
    MISSED: ("rgb(225, 140, 20)", "triangle-down-open"),
    REFUSED: ("rgb(225, 140, 20)", "cross-open"),
    "Running": ("rgb(59, 120, 235)", "diamond"),
    "Canceled": ("rgb(140, 140, 148)", "line-ew-open"),
    "Not started": ("rgba(140, 140, 148, 0.6)", "square-open"),
}
ROW_PX, FRAME_PX = 30, 90
LABEL_EVERY = 3  # days
NAME = 34  # characters of a schedule's name


def calendar(cells: Sequence[Cell], names: Mapping[str, str], days: Sequence[date]) -> go.Figure:
    """One row per schedule, one column per day, whether anything ran on it or not.

    Args:
        names: schedule id → its name, in the order of the rows.

    Every mark carries ``[run id, schedule id]``, for clicks.
    """
    rows = list(names)
    traces = [
        _marks(group, [each for each in cells if each.group == group], names) for group in LOOK
    ]
    figure = go.Figure(
        data=[trace for trace in traces if trace["x"]],
        layout={
            "xaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [_key(day) for day in days],
                "tickvals": [_key(day) for day in days[::-LABEL_EVERY]],
                "ticktext": [f"{day.day} {day:%b}" for day in days[::-LABEL_EVERY]],
                "tickangle": 0,
                "range": [-0.5, len(days) - 0.5],
            },
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": rows[::-1],
                "tickvals": rows,
                "ticktext": [_short(names[row]) for row in rows],
                "range": [-0.5, len(rows) - 0.5],
            },
        },
    )
    base_layout(figure, height=FRAME_PX + ROW_PX * len(rows))
    return figure.update_layout(hovermode="closest", yaxis={"rangemode": "normal"})


def _marks(group: str, cells: Sequence[Cell], names: Mapping[str, str]) -> dict[str, Any]:
    color, symbol = LOOK[group]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_key(each.day) for each in cells],
        "y": [each.schedule for each in cells],
        "customdata": [[each.run_id, each.schedule] for each in cells],
        "hovertext": [
            f"{_short(names[each.schedule])}, {each.day.day} {each.day:%b}<br>"
            + "<br>".join(each.lines)
            for each in cells
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": color,
            "symbol": symbol,
            "size": 14,
            "line": {"width": 2, "color": color},
        },
        "name": group,
    }


def _key(day: date) -> str:
    return day.isoformat()


def _short(name: str) -> str:
    """A name as Plotly may show it: it reads markup, and a name is none."""
    cut = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;")
