"""What is drawn over the charts about telemetry: a chosen bin, events, the period before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import drawing
from dashboard.charts_insights import SLATE, Axis, Floats
from services.chart_events import ChartEvent, EventKind
from services.domain import TimeWindow

SIGNS: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.DEPLOYMENT: "▲",
        EventKind.KEY: "◆",
        EventKind.BENCHMARK: "●",
        EventKind.RETRAIN: "■",
        EventKind.SCHEDULE: "★",
    }
)
TOLD = 6  # events in the words of one mark
EVENT, EARLIER = "rgba(128, 128, 128, 0.9)", "rgba(128, 128, 128, 0.5)"
CHOSEN = "rgba(128, 128, 128, 0.22)"  # of neither theme


def place(time: Axis, at: datetime) -> str:
    """Where an instant lies on the axis, as Plotly takes it."""
    local = datetime.fromisoformat(time.first) + (at - time.starts[0])
    return local.isoformat(sep=" ", timespec="milliseconds")


def choose(figure: go.Figure, time: Axis, chosen: TimeWindow | None) -> None:
    """Shade the chosen bin, where it lies on the axis."""
    if chosen is None or chosen.end <= time.starts[0] or chosen.start > time.starts[-1]:
        return
    figure.add_shape(
        type="rect",
        xref="x",
        yref="paper",
        x0=place(time, chosen.start),
        x1=place(time, chosen.end),
        y0=0,
        y1=1,
        fillcolor=CHOSEN,
        line={"width": 0},
        layer="below",
    )


def mark(
    figure: go.Figure,
    time: Axis,
    events: Sequence[ChartEvent],
    *,
    earlier: Sequence[ChartEvent] = (),
    shift: timedelta = timedelta(0),
) -> go.Figure:
    """The figure with a line and a sign where something was done; one for all of a bin.

    Args:
        earlier: those of an earlier period, drawn at the time of this one.
        shift: how much later that is.
    """
    if not events and not earlier:
        return figure
    traces, layout = drawing.described(figure)
    now, then = _marks(time, events, timedelta(0)), _marks(time, earlier, shift)
    over = {
        "shapes": [*layout.get("shapes", ()), *now[0], *then[0]],
        "annotations": [*layout.get("annotations", ()), *now[1], *then[1]],
    }
    return drawing.figure(traces, {**layout, **over})  # changing the old one costs far more


Described = dict[str, Any]


def _marks(
    time: Axis, events: Sequence[ChartEvent], shift: timedelta
) -> tuple[list[Described], list[Described]]:
    """The lines and the signs."""
    lines: list[Described] = []
    signs: list[Described] = []
    seconds = time.bin.total_seconds()
    for _, group in groupby(
        events, lambda event: (event.at + shift - time.starts[0]).total_seconds() // seconds
    ):
        together = list(group)
        x = place(time, together[0].at + shift)
        color = EARLIER if shift else EVENT
        line = {"color": color, "width": 1, "dash": "dash" if shift else "dot"}
        lines.append(
            {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}
            | {"line": line}
        )
        signs.append(
            {
                "x": x,
                "y": 1,
                "xref": "x",
                "yref": "paper",
                "yanchor": "bottom",
                "text": SIGNS[together[0].kind],
                "showarrow": False,
                "font": {"size": 10, "color": color},
                "hovertext": _told(together, shift),
            }
        )
    return lines, signs


def _told(together: Sequence[ChartEvent], shift: timedelta) -> str:
    lines = [
        f"{each.at.astimezone(UTC):%d %b %H:%M:%S} UTC · {each.text}" for each in together[:TOLD]
    ]
    more = [f"and {len(together) - TOLD} more"] if len(together) > TOLD else []
    head = ["In the period before:"] if shift else []
    text = "\n".join([*head, *lines, *more])
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def overlay(
    figure: go.Figure,
    frame: pd.DataFrame,
    column: str,
    time: Axis,
    *,
    shift: timedelta,
    name: str,
    unit: str,
) -> None:
    """What `column` was in the period before, at the time of this one."""
    values = _shifted(frame, column, time, shift)
    figure.add_trace(
        {
            "type": "scatter",
            "name": name,
            "x0": time.first,
            "dx": time.bin_ms,
            "y": values,
            "mode": "lines+markers",
            "marker": {"size": 5, "color": SLATE, "opacity": 0.0},
            "line": {"color": SLATE, "width": 1.5, "dash": "dash"},
            "opacity": 0.8,
            "hovertemplate": f"%{{y:,.1f}}{unit}<extra>{name}</extra>",
        }
    )


def _shifted(frame: pd.DataFrame, column: str, time: Axis, shift: timedelta) -> Floats:
    t = frame["t"] + shift
    known = {pd.Timestamp(start) for start in time.starts}
    rows = t.isin(known).to_numpy()
    found: Floats = np.full(len(time.starts), np.nan)
    return time.at(t[rows], frame[column][rows]) if rows.any() else found
