"""Figures about telemetry over time. Pure: frames of `services.app_insights.kql` in, figures out.

All share one x axis: the whole bins of the window, in the viewer's zone. A bin nobody sent
requests in is a gap, never a zero and never a line drawn across.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from dashboard import charts, drawing
from services import percentiles
from services.domain import TimeWindow

HEIGHT = 232
MARGIN = {"l": 62, "r": 14, "t": 34, "b": 34}  # fixed, so that plots above each other align
SERIES_SHOWN = 8  # deployments with a colour of their own; the rest is one series

# Streamlit puts the theme's categorical colours in the place of these, so light and dark fit.
INDIGO, CYAN, GREEN, AMBER, RED, VIOLET, SLATE, PINK, TEAL, BROWN = (
    *(f"#00000{place}" for place in range(1, 10)),
    "#000010",
)
_SERIES = (INDIGO, CYAN, VIOLET, TEAL, PINK, BROWN, GREEN, AMBER)
_CODES: Mapping[str, tuple[str, ...]] = {"4": (AMBER, VIOLET, TEAL), "5": (RED, PINK, BROWN)}
_STEPS = (0.25, 0.5, 1, 2, 5, 10, 25)  # percent between two ticks of the failure rate

Trace = dict[str, Any]
Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Axis:
    """The bins of a window, and how their times read in the viewer's zone."""

    starts: tuple[datetime, ...]
    first: str  # start of the first bin as Plotly takes it: local, without a zone
    end: str  # of the last bin
    spoken: tuple[str, ...]  # the bins' starts in UTC, for hovers
    bin: timedelta

    @property
    def bin_ms(self) -> float:
        return self.bin.total_seconds() * 1000

    def at(self, t: pd.Series[Any], values: pd.Series[Any], *, absent: float = math.nan) -> Floats:
        """One value per bin: the sum of those whose `t` it is, `absent` where there is none."""
        places = self._places(t)
        found = np.full(len(self.starts), absent)
        found[places] = 0.0
        np.add.at(found, places, values.to_numpy("float64"))
        return found

    def each(
        self, t: pd.Series[Any], values: pd.Series[Any], of: pd.Series[Any]
    ) -> dict[str, Floats]:
        """`at` for the rows of each value of `of`, in one pass over all of them."""
        names, rows = np.unique(of.to_numpy("str"), return_inverse=True)
        places = self._places(t)
        found = np.full((len(names), len(self.starts)), math.nan)
        found[rows, places] = 0.0
        np.add.at(found, (rows, places), values.to_numpy("float64"))
        return dict(zip(names.tolist(), found, strict=True))

    def _places(self, t: pd.Series[Any]) -> npt.NDArray[np.int64]:
        """Which bin each instant is the start of."""
        seconds = t.to_numpy("datetime64[us]").astype("int64") / 1e6 - self.starts[0].timestamp()
        return np.rint(seconds / self.bin.total_seconds()).astype("int64")


def axis(window: TimeWindow, zone: tzinfo) -> Axis:
    """The whole bins that cover `window`.

    One offset is used throughout, the one at the window's end: where the clocks changed in
    between, time still runs forward.
    """
    count = -(-(window.end - window.start) // window.bin)
    starts = [window.start + window.bin * place for place in range(count)]
    offset = window.end.astimezone(zone).utcoffset() or timedelta(0)
    return Axis(
        starts=tuple(starts),
        first=_local(window.start + offset),
        end=_local(window.start + offset + window.bin * count),
        spoken=tuple(f"{start.astimezone(UTC):%d %b %H:%M} UTC" for start in starts),
        bin=window.bin,
    )


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


# --- latency ----------------------------------------------------------------------

_LINES = (("p99", 99, PINK), ("p95", 95, CYAN), ("p50", 50, INDIGO))


def latency(frame: pd.DataFrame, time: Axis) -> go.Figure:
    """Mean, p50, p95 and p99 per bin; dotted where a bin has too few requests to tell."""
    counts = time.at(frame["t"], frame["requests"], absent=0)
    traces: list[Trace] = []
    for name, rank, color in _LINES:
        values = time.at(frame["t"], frame[f"{name}_ms"])
        traces += _percentile(name, values, counts >= percentiles.needed_count(rank), color, time)
    mean = time.at(frame["t"], frame["mean_ms"])
    traces.append(
        _line("mean", mean, SLATE, time, width=1.5)
        | {
            "text": _spoken("n = {:,}", counts, time),
            "hovertemplate": "%{y:,.1f} ms · %{text}<extra>mean</extra>",
        }
    )
    return _figure(traces, time, y_title="Response time", y_unit=" ms")


def _percentile(name: str, values: Floats, sure: Truths, color: str, time: Axis) -> list[Trace]:
    """A dotted line through every bin, under a full one through those with enough requests."""
    under = _line(name, values, color, time) | {
        "hovertemplate": f"%{{y:,.1f}} ms<extra>{name}</extra>",
        "legendgroup": name,
    }
    if np.all(sure | np.isnan(values)):
        return [under]
    under |= {
        "line": {**under["line"], "dash": "dot"},
        "text": np.where(sure, "", " · few requests"),
        "hovertemplate": f"%{{y:,.1f}} ms%{{text}}<extra>{name}</extra>",
    }
    over = _line(name, np.where(sure, values, math.nan), color, time) | {
        "legendgroup": name,
        "showlegend": False,
        "hoverinfo": "skip",
        "mode": "lines",
    }
    return [under, over]


def few_requests(frame: pd.DataFrame) -> int:
    """In how many bins even p95 rests on too few requests."""
    return int((frame["requests"] < percentiles.needed_count(95)).sum())


# --- failures ---------------------------------------------------------------------


def failures(frame: pd.DataFrame, time: Axis) -> go.Figure:
    """Failed requests stacked by result code, and their share of all requests as a line."""
    shades = {kind: iter(colors * 40) for kind, colors in _CODES.items()}
    traces = []
    bad = frame[frame["failed"] > 0]
    for code, counted in time.each(bad["t"], bad["failed"], bad["code"]).items():
        traces.append(_bars(code, counted, _shade(code, shades), time))
    failed = time.at(frame["t"], frame["failed"], absent=0)
    counts = time.at(frame["t"], frame["requests"])
    shares = 100 * failed / counts
    traces.append(
        _line("rate", shares, SLATE, time, width=1.5)
        | {
            "yaxis": "y2",
            "text": _spoken("of {:,}", np.nan_to_num(counts), time),
            "hovertemplate": "%{y:.1f} % %{text}<extra>failure rate</extra>",
        }
    )
    highest = float(np.nanmax(shares))
    step = next(each for each in _STEPS if highest <= 4 * each)
    rate: dict[str, Any] = {
        "overlaying": "y",
        "side": "right",
        "ticksuffix": " %",
        "dtick": step,
        "range": [0, max(step, step * math.ceil(highest / step))],
        "showgrid": False,
        "zeroline": False,
    }
    return _figure(
        traces,
        time,
        y_title="Failed requests",
        yaxis=_whole(failed) | ({} if failed.any() else {"range": [0, 1]}),
        yaxis2=rate,
        margin={**MARGIN, "r": 52},
    )


def _shade(code: str, shades: Mapping[str, Any]) -> str:
    """Amber for what the caller did wrong, red for what the server did."""
    return str(next(shades.get(code[:1], shades["5"])))


# --- volume and availability ------------------------------------------------------


def volume(frame: pd.DataFrame, time: Axis, *, by_deployment: bool) -> go.Figure:
    """Requests per bin: of each deployment, or of one by how they ended."""
    counts = time.at(frame["t"], frame["requests"])
    if by_deployment:
        traces = _by_deployment(frame, time)
    else:
        failed = time.at(frame["t"], frame["failed"])
        traces = [_bars("succeeded", counts - failed, INDIGO, time)]
        if np.nansum(failed):
            traces.append(_bars("failed", failed, RED, time))
    return _figure(traces, time, y_title="Requests", yaxis=_whole(counts))


def _by_deployment(frame: pd.DataFrame, time: Axis) -> list[Trace]:
    """The busiest first, those beyond the palette as one."""
    of_each = time.each(frame["t"], frame["requests"], frame["service"])
    each = sorted(of_each.items(), key=lambda named: -np.nansum(named[1]))
    shown, rest = each[:SERIES_SHOWN], each[SERIES_SHOWN:]
    traces = [
        _bars(name, values, color, time)
        for (name, values), color in zip(shown, _SERIES, strict=False)
    ]
    if rest:
        others = np.nansum([values for _, values in rest], axis=0)
        traces.append(_bars(f"{len(rest)} others", others, SLATE, time))
    return traces


def availability(frame: pd.DataFrame, time: Axis, *, unit: str) -> go.Figure:
    """Percent available per bin.

    Args:
        frame: with ``t``, ``availability_pct`` and the count it is a share of, as ``n``.
        unit: what was counted: ``"tests"`` or ``"requests"``.
    """
    values = time.at(frame["t"], frame["availability_pct"])
    trace = _line("available", values, GREEN, time) | {
        "text": _spoken(f"of {{:,}} {unit}", time.at(frame["t"], frame["n"], absent=0), time),
        "hovertemplate": "%{y:.2f} % %{text}<extra>available</extra>",
    }
    lowest = float(np.nanmin(values))
    floor = max(0.0, lowest - max(1.0, (100 - lowest) * 0.25))
    spread = {"range": [floor, 100 + (100 - floor) * 0.06], "rangemode": "normal"}
    return _figure([trace], time, y_title="Available", y_unit=" %", yaxis=spread, showlegend=False)


# --- shared -----------------------------------------------------------------------


def _line(name: str, values: Floats, color: str, time: Axis, *, width: float = 1.75) -> Trace:
    """A line that breaks where there is no value; a value without neighbours is a dot.

    The others are dots nobody sees: a click chooses points, and a line without any has none.
    """
    missing = np.concatenate([[True], np.isnan(values), [True]])
    alone = ~missing[1:-1] & missing[:-2] & missing[2:]
    seen: Floats | float = np.where(alone, 1.0, 0.0) if alone.any() else 0.0
    return {
        "type": "scatter",
        "name": name,
        "x0": time.first,
        "dx": time.bin_ms,
        "y": values,
        "line": {"color": color, "width": width},
        "mode": "lines+markers",
        "marker": {"size": 5, "color": color, "opacity": seen},
    }


def _bars(name: str, values: Floats, color: str, time: Axis) -> Trace:
    """Bars that begin where their bin begins."""
    plain = name.replace("&", "&amp;").replace("<", "&lt;")  # Plotly reads some HTML tags
    return {
        "type": "bar",
        "name": plain,
        "x0": time.first,
        "dx": time.bin_ms,
        "y": values,
        "offset": 0,
        "width": time.bin_ms * (0.9 if len(time.starts) <= 62 else 1.0),
        "marker": {"color": color, "line": {"width": 0}},
        "hovertemplate": f"%{{y:,}}<extra>{plain}</extra>",
    }


def _spoken(form: str, counts: Floats, time: Axis) -> Any:
    """What a hover adds to a bin's value: how many it rests on, and when it was in UTC."""
    return np.array(
        [
            f"{form.format(n)} · {utc}"
            for n, utc in zip(counts.astype(int).tolist(), time.spoken, strict=True)
        ]
    )


def _whole(counts: Floats) -> dict[str, Any]:
    """Ticks at whole numbers: there is no half request."""
    return {"tickformat": ",.0f", **({"dtick": 1} if np.nanmax(counts) <= 5 else {})}


def _figure(
    traces: list[Trace],
    time: Axis,
    *,
    y_title: str,
    y_unit: str = "",
    yaxis: Mapping[str, Any] | None = None,
    **layout: Any,
) -> go.Figure:
    frame = charts.layout(height=HEIGHT, y_title=y_title, y_unit=y_unit)
    x = {"type": "date", "range": [time.first, time.end], "nticks": 8, "automargin": False}
    y = {"nticks": 6, "automargin": False, **(yaxis or {})}
    described = {
        **frame,
        "barmode": "stack",
        "margin": MARGIN,
        "legend": {**frame["legend"], "yref": "container", "y": 1, "yanchor": "top"},
        "xaxis": frame["xaxis"] | x,
        "yaxis": frame["yaxis"] | y,
        **layout,
    }
    return drawing.figure(traces, described)
