"""Figures of metrics against their bands, and of how long retrains took. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard import formats
from dashboard.charts import layout
from services.alerts.records import Band, Verdict
from services.alerts.retraining import Retrain

# By colour and by shape, so that neither light, dark nor colour-blind eyes lose a failure.
_LOOK: dict[Verdict, tuple[str, str]] = {
    Verdict.PASS: ("rgb(34, 160, 80)", "circle"),
    Verdict.WARN: ("rgb(225, 140, 20)", "diamond"),
    Verdict.FAIL: ("rgb(220, 55, 55)", "x"),
}
_LINE = "rgba(128, 128, 140, 0.7)"
_FAIL_ZONE, _WARN_ZONE = "rgba(220, 55, 55, 0.10)", "rgba(225, 140, 20, 0.10)"
AROUND = timedelta(days=1)
_MARGIN = 0.35  # of the range of values, so that a band near it is seen


@dataclass(frozen=True, slots=True)
class Point:
    """A metric of one run."""

    at: datetime
    value: float
    verdict: Verdict | None
    label: str  # which run, for the hover


def metric_trend(
    metric: str, points: Sequence[Point], band: Band | None, *, height: int = 240
) -> go.Figure:
    """A metric over runs, oldest at the left, with the zones where it warns and fails."""
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": [each.at for each in points],
            "y": [each.value for each in points],
            "mode": "lines",
            "line": {"color": _LINE, "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    for verdict in (None, *_LOOK):
        here = [each for each in points if each.verdict is verdict]
        color, symbol = _LOOK.get(verdict, (_LINE, "circle")) if verdict else (_LINE, "circle")
        if here:
            traces.append(
                {
                    "type": "scatter",
                    "x": [each.at for each in here],
                    "y": [each.value for each in here],
                    "mode": "markers",
                    "name": verdict.value if verdict else "No band",
                    "marker": {"color": color, "symbol": symbol, "size": 9},
                    "hovertext": [f"{each.label}: {formats.metric(each.value)}" for each in here],
                    "hovertemplate": "%{hovertext}<extra></extra>",
                }
            )
    frame = layout(height=height, y_title=metric)
    low, high = _span([each.value for each in points], band)
    frame["yaxis"] |= {"range": [low, high], "rangemode": "normal"}
    if points and points[0].at == points[-1].at:  # one moment alone would be drawn in fractions
        frame["xaxis"]["range"] = [points[0].at - AROUND, points[0].at + AROUND]
    frame["hovermode"] = "closest"
    return go.Figure(data=traces, layout={**frame, "shapes": _zones(band, low, high)})


def _span(values: Sequence[float], band: Band | None) -> tuple[float, float]:
    limits = [*values, *(_limits(band) if band else ())] or [0.0, 1.0]
    low, high = min(limits), max(limits)
    margin = (high - low) * _MARGIN or abs(high) * 0.05 or 0.5
    return low - margin, high + margin


def _limits(band: Band) -> list[float]:
    given = (band.fail_below, band.warn_below, band.warn_above, band.fail_above)
    return [limit for limit in given if limit is not None]


def _zones(band: Band | None, low: float, high: float) -> list[dict[str, Any]]:
    if band is None:
        return []
    zones = []
    if band.fail_below is not None:
        zones.append(_zone(low, band.fail_below, _FAIL_ZONE))
    if band.warn_below is not None:
        below = band.fail_below if band.fail_below is not None else low
        zones.append(_zone(below, band.warn_below, _WARN_ZONE))
    if band.warn_above is not None:
        above = band.fail_above if band.fail_above is not None else high
        zones.append(_zone(band.warn_above, above, _WARN_ZONE))
    if band.fail_above is not None:
        zones.append(_zone(band.fail_above, high, _FAIL_ZONE))
    return zones


def _zone(y0: float, y1: float, color: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": y0, "y1": y1,
        "fillcolor": color, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def durations(retrains: Sequence[Retrain], usual_min: float | None) -> go.Figure:
    """How long each settled run took, with the usual length as a line."""
    traces = []
    for verdict, name in ((Verdict.PASS, "Completed"), (Verdict.FAIL, "Failed")):
        here = [each for each in retrains if _ended_as(each, name) and each.minutes is not None]
        color = _LOOK[verdict][0]
        traces.append(
            {
                "type": "bar",
                "x": [each.run.created_at for each in here],
                "y": [each.minutes for each in here],
                "name": name,
                "marker": {"color": color, "pattern": {"shape": "/" if name == "Failed" else ""}},
                "hovertemplate": "%{x|%-d %b, %H:%M}: %{y:.1f} min<extra>" + name + "</extra>",
            }
        )
    frame = layout(height=240, y_title="Duration (min)")
    frame["hovermode"] = "closest"
    shapes = []
    if usual_min is not None:
        shapes.append(
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": usual_min, "y1": usual_min,
                "line": {"color": _LINE, "width": 1, "dash": "dot"},
            }
        )  # fmt: skip
    return go.Figure(data=traces, layout={**frame, "barmode": "overlay", "shapes": shapes})


def _ended_as(retrain: Retrain, name: str) -> bool:
    return retrain.run.status.value == name
