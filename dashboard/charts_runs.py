"""Figures about runs and models. Pure: records in, Plotly figures out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import formats
from dashboard.charts import CONFIG as BASE_CONFIG
from dashboard.charts import base_layout
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

CONFIG = {**BASE_CONFIG, "displayModeBar": False}  # it would lie over the legends of small cards
HEIGHT = 270
MANY_CLASSES = 10  # from here on a matrix shows its numbers on hover only
QUIET = "rgb(128, 128, 136)"
HERE = "rgb(234, 88, 12)"
RIGHT, WRONG, NEITHER = "rgba(99, 102, 241, 0.55)", "rgba(234, 88, 12, 0.55)", "rgba(128,128,128,0)"


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
    figure = go.Figure(
        [
            go.Scatter(
                x=after,
                y=[each.best_so_far for each in scored],
                mode="lines",
                line={"shape": "hv", "width": 2},
                name="Best so far",
                hovertemplate="%{y:.4f}",
            ),
            go.Scatter(
                x=after,
                y=[each.score for each in scored],
                mode="markers",
                marker={"size": 7, "opacity": 0.75},
                text=[each.name for each in scored],
                name="Child run",
                hovertemplate="%{text}: %{y:.4f}",
            ),
        ]
    )
    base_layout(figure, height=HEIGHT, x_title="Time since the run started (s)", y_title=metric)
    lowest, highest = _in_sight([each.score for each in scored], goal)
    figure.update_yaxes(range=[lowest, highest], rangemode="normal", tickformat=".4~f")
    figure.update_xaxes(rangemode="tozero")
    for label, value in references:
        if lowest <= value <= highest:
            _level(figure, value, label)
    if timeout_s is not None and after and after[-1] > timeout_s / 3:
        figure.add_vline(x=timeout_s, line={"dash": "dot", "width": 1, "color": QUIET})
        figure.add_annotation(
            x=timeout_s, y=1, yref="paper", text="timeout", showarrow=False, xanchor="right",
            font={"size": 11, "color": QUIET}, yanchor="top",
        )  # fmt: skip
    return figure


def confusion(counts: Counts, label: str) -> go.Figure:
    """One class against the rest. Each row adds up to 100 %."""
    other = f"not {label}"
    cells = [[counts.tn, counts.fp], [counts.fn, counts.tp]]
    return _matrix(cells, (other, label))


def confusion_all(matrix: ConfusionMatrix) -> go.Figure:
    """Every class against every other, as it was logged."""
    return _matrix([list(row) for row in matrix.matrix], matrix.labels)


def two_classes(counts: Counts, label: str, other: str) -> go.Figure:
    """The same matrix where the other class has a name of its own."""
    return _matrix([[counts.tn, counts.fp], [counts.fn, counts.tp]], (other, label))


def roc(curve: Curve, at: Counts | None) -> go.Figure:
    figure = go.Figure([_line(curve, "False positive rate", "true positive rate"), _diagonal()])
    if at is not None and at.false_positive_rate is not None and at.recall is not None:
        figure.add_trace(_here(at.false_positive_rate, at.recall))
    return _square(figure, "False positive rate", "True positive rate")


def precision_recall(curve: Curve, at: Counts | None, *, prevalence: float | None) -> go.Figure:
    figure = go.Figure([_line(curve, "Recall", "precision")])
    if at is not None and at.recall is not None and at.precision is not None:
        figure.add_trace(_here(at.recall, at.precision))
    if prevalence is not None:
        _level(figure, prevalence, f"by chance {formats.percent(prevalence)}")
    return _square(figure, "Recall", "Precision")


def calibration(points: Calibration) -> go.Figure:
    observed = go.Scatter(
        x=list(points.predicted),
        y=list(points.observed),
        mode="lines+markers",
        marker={"size": 7},
        customdata=[formats.count(count) for count in points.counts],
        hovertemplate=(
            "predicted %{x:.3f}<br>observed %{y:.3f}<br>%{customdata} rows<extra></extra>"
        ),
    )
    figure = go.Figure([observed, _diagonal()])
    return _square(figure, "Mean predicted probability", "Share truly of the class")


def gain(curve: Curve, at: Counts | None) -> go.Figure:
    figure = go.Figure([_line(curve, "Rows taken", "found"), _diagonal()])
    if at is not None and at.total and at.recall is not None:
        figure.add_trace(_here(at.predicted / at.total, at.recall))
    _square(figure, "Share of rows taken, most probable first", "Share of the class found")
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".0%")
    return figure


def lift(curve: Curve) -> go.Figure:
    figure = go.Figure([_line(curve, "Rows taken", "lift", y_format=".2f")])
    base_layout(figure, height=HEIGHT, x_title="Share of rows taken, most probable first",
                y_title="Lift", y_unit=" ×")  # fmt: skip
    figure.update_layout(showlegend=False, hovermode="closest", margin={"t": 8, "r": 20})
    figure.update_xaxes(range=[0, 1.01], dtick=0.2, tickformat=".0%")
    _level(figure, 1.0, "by chance")
    return figure


def residuals(histogram: Residuals) -> go.Figure:
    """Bars as wide as their bins; the outer two reach to the extremes."""
    widths = [b - a for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)]
    middles = [a + w / 2 for a, w in zip(histogram.edges, widths, strict=False)]
    bars = go.Bar(
        x=middles,
        y=list(histogram.counts),
        width=[width * 0.94 for width in widths],
        customdata=[
            f"{a:,.4g} to {b:,.4g}"
            for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)
        ],
        hovertemplate="%{customdata}<br>%{y:,} rows<extra></extra>",
    )
    figure = go.Figure([bars])
    base_layout(figure, height=HEIGHT, x_title="Predicted − true", y_title="Rows")
    figure.update_layout(showlegend=False, hovermode="closest")
    figure.add_vline(x=0, line={"dash": "dot", "width": 1, "color": QUIET})
    return figure


def predicted_true(bins: PredictedTrue, *, label: str) -> go.Figure:
    ends = [min(bins.true, default=0.0), max(bins.true, default=1.0)]
    points = go.Scatter(
        x=list(bins.true),
        y=list(bins.predicted),
        error_y={"type": "data", "array": list(bins.deviation), "thickness": 1, "width": 3},
        mode="lines+markers",
        customdata=[formats.count(count) for count in bins.counts],
        hovertemplate="true %{x:,.4g}<br>predicted %{y:,.4g}<br>%{customdata} rows<extra></extra>",
    )
    perfect = go.Scatter(
        x=ends, y=ends, mode="lines", line={"dash": "dot", "width": 1, "color": QUIET},
        hoverinfo="skip",
    )  # fmt: skip
    figure = go.Figure([points, perfect])
    base_layout(figure, height=HEIGHT, x_title=f"True {label}", y_title=f"Predicted {label}")
    figure.update_layout(showlegend=False, hovermode="closest")
    figure.update_yaxes(rangemode="normal")
    return figure


def bars(rows: Sequence[tuple[str, float]], *, title: str, decimals: int = 4) -> go.Figure:
    """Named values as horizontal bars, the first at the top."""
    names = [name for name, _ in rows]
    values = [value for _, value in rows]
    figure = go.Figure(
        [
            go.Bar(
                x=values,
                y=list(range(len(rows))),  # two of a name are two bars
                orientation="h",
                text=[f"{value:.{decimals}f}" for value in values],
                textposition="outside",
                cliponaxis=False,
                customdata=names,
                hovertemplate="%{customdata}: %{x:.5f}<extra></extra>",
            )
        ]
    )
    base_layout(figure, height=max(150, 74 + 24 * len(rows)), x_title=title)
    figure.update_layout(showlegend=False, hovermode="closest", margin={"t": 8, "r": 64})
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(
        autorange="reversed",
        showgrid=False,
        tickmode="array",
        tickvals=list(range(len(rows))),
        ticktext=[_shortened(name) for name in names],
    )
    return figure


# --- pieces -----------------------------------------------------------------------


def _matrix(cells: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    shares = [[cell / (sum(row) or 1) for cell in row] for row in cells]
    signed = [
        [share if i == j else -share for j, share in enumerate(row)] for i, row in enumerate(shares)
    ]
    text = [
        [f"<b>{cell:,}</b><br>{share:.1%}" for cell, share in zip(*pair, strict=True)]
        for pair in zip(cells, shares, strict=True)
    ]
    places = list(range(len(labels)))
    heat = go.Heatmap(
        z=signed,
        x=places,
        y=places,
        zmin=-1,
        zmax=1,
        colorscale=[[0, WRONG], [0.5, NEITHER], [1, RIGHT]],
        showscale=False,
        xgap=3,
        ygap=3,
        hoverinfo="skip",
    )
    # A trace of its own: text inside a heatmap is coloured for opaque cells, ours are not.
    named_cells = [(x, y) for y in places for x in places]
    cell_text = go.Scatter(
        x=[x for x, _ in named_cells],
        y=[y for _, y in named_cells],
        mode="text" if len(labels) <= MANY_CLASSES else "markers",
        marker={"opacity": 0},
        text=[text[y][x] for x, y in named_cells],
        customdata=[f"true {labels[y]}, predicted {labels[x]}" for x, y in named_cells],
        hovertemplate="%{customdata}<br>%{text}<extra></extra>",
    )
    figure = go.Figure([heat, cell_text])
    base_layout(figure, height=HEIGHT, x_title="Predicted", y_title="True")
    named = {"tickmode": "array", "tickvals": places, "ticktext": [_shortened(x) for x in labels]}
    figure.update_layout(hovermode="closest", margin={"t": 8}, showlegend=False)
    figure.update_xaxes(range=[-0.5, len(labels) - 0.5], **named)
    figure.update_yaxes(range=[len(labels) - 0.5, -0.5], showgrid=False, **named)
    return figure


def _line(curve: Curve, x_name: str, y_name: str, *, y_format: str = ".3f") -> go.Scatter:
    return go.Scatter(
        x=list(curve.x),
        y=list(curve.y),
        mode="lines",
        line={"width": 2},
        customdata=["–" if each is None else f"{each:.3f}" for each in curve.thresholds],
        hovertemplate=(
            f"{x_name} %{{x:.3f}}<br>{y_name} %{{y:{y_format}}}"
            "<br>threshold %{customdata}<extra></extra>"
        ),
    )


def _diagonal() -> go.Scatter:
    return go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "width": 1, "color": QUIET},
        hoverinfo="skip",
    )  # fmt: skip


def _here(x: float, y: float) -> go.Scatter:
    """Where the chosen threshold is on a curve."""
    return go.Scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={"size": 11, "color": HERE, "line": {"width": 2, "color": "white"}},
        hovertemplate="chosen threshold<br>%{x:.3f}, %{y:.3f}<extra></extra>",
    )


def _square(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    base_layout(figure, height=HEIGHT, x_title=x_title, y_title=y_title)
    figure.update_layout(showlegend=False, hovermode="closest", margin={"t": 8, "r": 20})
    figure.update_xaxes(range=[-0.01, 1.01], dtick=0.2, zeroline=False)
    figure.update_yaxes(range=[-0.02, 1.02], dtick=0.2)
    return figure


def _level(figure: go.Figure, value: float, label: str) -> None:
    figure.add_hline(
        y=value,
        line={"dash": "dash", "width": 1, "color": QUIET},
        annotation={"text": label, "font": {"size": 11, "color": QUIET}},
        annotation_position="top left",
    )


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
