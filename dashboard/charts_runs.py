"""Figures about runs and models. Pure: records in, Plotly figures out.

Traces and layout are plain dictionaries handed over at once: updating a figure step by
step costs Plotly five times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from dashboard import charts, drawing, formats
from services.domain import MetricGoal
from services.leaderboard import Scored
from services.run_charts import (
    Calibration,
    ConfusionMatrix,
    Counts,
    Curve,
    PredictedTrue,
    Residuals,
)

Trace = dict[str, Any]
Line = tuple[Trace, Trace | None]  # a shape and what is written at it

CONFIG = {**charts.CONFIG, "displayModeBar": False}  # it would lie over the legends of small cards
HEIGHT = 270
NUMBER = ",.6~g"
MANY_CLASSES = 10  # from here on a matrix shows its numbers on hover only
QUIET = "rgb(128, 128, 136)"
HERE = "rgb(234, 88, 12)"
# White text reads well on all three, and on what lies between them, in light and dark.
RIGHT, WRONG, NEITHER = "rgb(79, 70, 229)", "rgb(194, 65, 12)", "rgb(100, 106, 128)"
THIN = {"dash": "dot", "width": 1, "color": QUIET}


def search(
    scored: Sequence[Scored],
    *,
    metric: str,
    goal: MetricGoal,
    timeout_s: float | None,
    references: Sequence[tuple[str, float]] = (),
) -> go.Figure:
    """Every candidate's score over time, and the best so far as a step line.

    Args:
        scored: in the order they finished.
        references: scores to hold against, drawn as lines where they lie in sight.
    """
    after = [each.after_s for each in scored]
    best = {
        "type": "scatter",
        "x": after,
        "y": [each.best_so_far for each in scored],
        "mode": "lines",
        "line": {"shape": "hv", "width": 2},
        "name": "Best so far",
        "hovertemplate": "%{y:.4f}",
    }
    each_one = {
        "type": "scatter",
        "x": after,
        "y": [each.score for each in scored],
        "mode": "markers",
        "marker": {"size": 7, "opacity": 0.75},
        "text": [each.name for each in scored],
        "name": "Child run",
        "hovertemplate": "%{text}: %{y:.4f}",
    }
    low, high = _in_sight([each.score for each in scored], goal)
    lines: list[Line] = [
        _level(value, label) for label, value in references if low <= value <= high
    ]
    if timeout_s is not None and after and after[-1] > timeout_s / 3:
        lines.append(_limit(timeout_s, "timeout"))
    return _figure(
        [best, each_one],
        x_title="Time since the run started (s)",
        y_title=metric,
        lines=lines,
        hovermode="x unified",
        showlegend=True,
        margin={"t": 28},
        xaxis={"rangemode": "tozero"},
        yaxis={"range": [low, high], "tickformat": ".4~f"},
    )


def confusion(counts: Counts, label: str) -> go.Figure:
    """One class against the rest. Each row adds up to 100 %."""
    return two_classes(counts, label, f"not {label}")


def two_classes(counts: Counts, label: str, other: str) -> go.Figure:
    """The same matrix where the other class has a name of its own."""
    return _matrix([[counts.tn, counts.fp], [counts.fn, counts.tp]], (other, label))


def confusion_all(matrix: ConfusionMatrix) -> go.Figure:
    """Every class against every other, as it was logged."""
    return _matrix([list(row) for row in matrix.matrix], matrix.labels)


def roc(curve: Curve, at: Counts | None) -> go.Figure:
    traces = [_line(curve, "False positive rate", "true positive rate"), _diagonal()]
    if at is not None and at.false_positive_rate is not None and at.recall is not None:
        traces.append(_here(at.false_positive_rate, at.recall))
    return _square(traces, "False positive rate", "True positive rate")


def precision_recall(curve: Curve, at: Counts | None, *, prevalence: float | None) -> go.Figure:
    traces = [_line(curve, "Recall", "precision")]
    if at is not None and at.recall is not None and at.precision is not None:
        traces.append(_here(at.recall, at.precision))
    chance = f"by chance {formats.percent(prevalence)}"
    lines = [] if prevalence is None else [_level(prevalence, chance)]
    return _square(traces, "Recall", "Precision", lines=lines)


def calibration(points: Calibration) -> go.Figure:
    observed = {
        "type": "scatter",
        "x": list(points.predicted),
        "y": list(points.observed),
        "mode": "lines+markers",
        "marker": {"size": 7},
        "customdata": [formats.count(count) for count in points.counts],
        "hovertemplate": (
            "predicted %{x:.3f}<br>observed %{y:.3f}<br>%{customdata} rows<extra></extra>"
        ),
    }
    return _square(
        [observed, _diagonal()], "Mean predicted probability", "Share truly of the class"
    )


def gain(curve: Curve) -> go.Figure:
    return _square(
        [_line(curve, "Rows taken", "found"), _diagonal()],
        "Share of rows taken, most probable first",
        "Share of the class found",
        tickformat=".0%",
    )


def lift(curve: Curve) -> go.Figure:
    return _figure(
        [_line(curve, "Rows taken", "lift", y_format=".2f")],
        x_title="Share of rows taken, most probable first",
        y_title="Lift",
        y_unit=" ×",
        lines=[_level(1.0, "by chance")],
        margin={"t": 8, "r": 20},
        xaxis={"range": [0, 1.01], "dtick": 0.2, "tickformat": ".0%"},
    )


def residuals(histogram: Residuals) -> go.Figure:
    """Bars as wide as their bins; the outer two reach to the extremes."""
    bins = list(pairwise(histogram.edges))
    bars = {
        "type": "bar",
        "x": [(low + high) / 2 for low, high in bins],
        "y": list(histogram.counts),
        "width": [(high - low) * 0.94 for low, high in bins],
        "customdata": [f"{low:,.4g} to {high:,.4g}" for low, high in bins],
        "hovertemplate": "%{customdata}<br>%{y:,} rows<extra></extra>",
    }
    return _figure(
        [bars],
        x_title="Predicted − true",
        y_title="Rows",
        lines=[_limit(0.0, "")],
        xaxis={"tickformat": NUMBER},
        yaxis={"tickformat": ",d"},
    )


def predicted_true(bins: PredictedTrue, *, label: str) -> go.Figure:
    ends = [min(bins.true, default=0.0), max(bins.true, default=1.0)]
    points = {
        "type": "scatter",
        "x": list(bins.true),
        "y": list(bins.predicted),
        "error_y": {"type": "data", "array": list(bins.deviation), "thickness": 1, "width": 3},
        "mode": "lines+markers",
        "customdata": [formats.count(count) for count in bins.counts],
        "hovertemplate": (
            "true %{x:,.4g}<br>predicted %{y:,.4g}<br>%{customdata} rows<extra></extra>"
        ),
    }
    return _figure(
        [points, {**_diagonal(), "x": ends, "y": ends}],
        x_title=f"True {label}",
        y_title=f"Predicted {label}",
        xaxis={"tickformat": NUMBER},
        yaxis={"rangemode": "normal", "tickformat": NUMBER},
    )


def bars(rows: Sequence[tuple[str, float]], *, title: str, decimals: int = 4) -> go.Figure:
    """Named values as horizontal bars, the first at the top."""
    places = list(range(len(rows)))  # two of a name are two bars
    values = [value for _, value in rows]
    trace = {
        "type": "bar",
        "x": values,
        "y": places,
        "orientation": "h",
        "text": [f"{value:.{decimals}f}" for value in values],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [name for name, _ in rows],
        "hovertemplate": "%{customdata}: %{x:.5f}<extra></extra>",
    }
    return _figure(
        [trace],
        height=max(150, 74 + 24 * len(rows)),
        x_title=title,
        margin={"t": 8, "r": 64},
        xaxis={"rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "showgrid": False,
            "rangemode": "normal",
            **_named([name for name, _ in rows]),
        },
    )


# --- pieces -----------------------------------------------------------------------


def _figure(
    traces: Sequence[Trace],
    *,
    x_title: str,
    y_title: str = "",
    y_unit: str = "",
    height: int = HEIGHT,
    lines: Sequence[Line] = (),
    **changes: Any,
) -> go.Figure:
    """The dashboard's frame with `changes`; of a dictionary, only what is named changes."""
    layout = charts.layout(height=height, x_title=x_title, y_title=y_title, y_unit=y_unit)
    layout |= {"showlegend": False, "hovermode": "closest"}
    layout["margin"] |= {"t": 8}
    for name, value in changes.items():
        layout[name] = layout.get(name, {}) | value if isinstance(value, dict) else value
    layout["shapes"] = [shape for shape, _ in lines]
    layout["annotations"] = [words for _, words in lines if words is not None]
    return drawing.figure(traces, layout)


def _square(
    traces: Sequence[Trace],
    x_title: str,
    y_title: str,
    *,
    lines: Sequence[Line] = (),
    **ticks: str,
) -> go.Figure:
    """Both axes from 0 to 1."""
    return _figure(
        traces,
        x_title=x_title,
        y_title=y_title,
        lines=lines,
        margin={"t": 8, "r": 20},
        xaxis={"range": [-0.01, 1.01], "dtick": 0.2, "zeroline": False, **ticks},
        yaxis={"range": [-0.02, 1.02], "dtick": 0.2, "rangemode": "normal", **ticks},
    )


def _matrix(cells: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    shares = [[cell / (sum(row) or 1) for cell in row] for row in cells]
    signed = [
        [share if i == j else -share for j, share in enumerate(row)] for i, row in enumerate(shares)
    ]
    places = list(range(len(labels)))
    every = [(x, y) for y in places for x in places]
    heat = {
        "type": "heatmap",
        "z": signed,
        "x": places,
        "y": places,
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, WRONG], [0.5, NEITHER], [1, RIGHT]],
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hoverinfo": "skip",
    }
    words = {  # a trace of its own, for a hover that names the cell
        "type": "scatter",
        "x": [x for x, _ in every],
        "y": [y for _, y in every],
        "mode": "text" if len(labels) <= MANY_CLASSES else "markers",
        "marker": {"opacity": 0},
        "textfont": {"color": "white", "size": 13},
        "text": [f"<b>{cells[y][x]:,}</b><br>{shares[y][x]:.1%}" for x, y in every],
        "customdata": [f"true {labels[y]}, predicted {labels[x]}" for x, y in every],
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
    }
    named, end = _named(labels), len(labels) - 0.5
    return _figure(
        [heat, words],
        x_title="Predicted",
        y_title="True",
        xaxis={"range": [-0.5, end], "zeroline": False, **named},
        yaxis={"range": [end, -0.5], "showgrid": False, "rangemode": "normal", **named},
    )


def _line(curve: Curve, x_name: str, y_name: str, *, y_format: str = ".3f") -> Trace:
    return {
        "type": "scatter",
        "x": list(curve.x),
        "y": list(curve.y),
        "mode": "lines",
        "line": {"width": 2},
        "customdata": ["–" if each is None else f"{each:.3f}" for each in curve.thresholds],
        "hovertemplate": (
            f"{x_name} %{{x:.3f}}<br>{y_name} %{{y:{y_format}}}"
            "<br>threshold %{customdata}<extra></extra>"
        ),
    }


def _diagonal() -> Trace:
    return {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "line": THIN,
        "hoverinfo": "skip",
    }


def _here(x: float, y: float) -> Trace:
    """Where the chosen threshold is on a curve."""
    return {
        "type": "scatter",
        "x": [x],
        "y": [y],
        "mode": "markers",
        "marker": {"size": 11, "color": HERE, "line": {"width": 2, "color": "white"}},
        "hovertemplate": "chosen threshold<br>%{x:.3f}, %{y:.3f}<extra></extra>",
    }


def _level(value: float, label: str) -> Line:
    """A line across at a value, with its name."""
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
    line = {"type": "line", "line": {**THIN, "dash": "dash"}, **ends}
    words = {"xref": "paper", "x": 0, "xanchor": "left", "y": value, "yanchor": "bottom"}
    return line, {**_small(label), **words}


def _limit(value: float, label: str) -> Line:
    """A line upwards at a value, with its name."""
    ends = {"yref": "paper", "y0": 0, "y1": 1, "x0": value, "x1": value}
    words = {"yref": "paper", "y": 1, "yanchor": "top", "x": value, "xanchor": "right"}
    return {"type": "line", "line": THIN, **ends}, {**_small(label), **words} if label else None


def _small(text: str) -> Trace:
    return {"text": text, "showarrow": False, "font": {"size": 11, "color": QUIET}}


def _named(names: Sequence[str]) -> Trace:
    """Ticks that carry names instead of numbers."""
    places = list(range(len(names)))
    return {"tickmode": "array", "tickvals": places, "ticktext": [_shortened(x) for x in names]}


def _in_sight(scores: Sequence[float], goal: MetricGoal) -> tuple[float, float]:
    """A range that shows the good part of a search in detail; its worst tenth may lie outside."""
    if not scores:
        return 0.0, 1.0
    ordered, tenth = sorted(scores), len(scores) // 10
    low, high = (
        (ordered[tenth], ordered[-1])
        if goal is MetricGoal.MAXIMIZE
        else (ordered[0], ordered[-1 - tenth])
    )
    margin = max((high - low) * 0.12, abs(high) * 0.0005, 1e-6)
    return low - margin, high + margin


def _shortened(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else f"{name[: limit - 1]}…"
