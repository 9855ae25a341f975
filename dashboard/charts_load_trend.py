"""Figures that hold load tests against each other. Pure: records in, Plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import plotly.graph_objects as go

from dashboard import formats
from dashboard.charts import base_layout
from services import load_test_comparison as comparison
from services import load_test_findings as findings
from services.domain import LoadTest
from services.load_test_rules import Thresholds
from services.load_test_verdict import Outcome, Verdict

HEIGHT = 280
P95, P50, RATE, FAILED = "p95", "p50", "Requests per second", "Failed"
FIGURES = (P95, P50, RATE, FAILED)
UNITS = {P95: "ms", P50: "ms", RATE: "requests/s", FAILED: "%"}
SYMBOLS = {Outcome.PASS: "circle", Outcome.FAIL: "x", Outcome.UNDECIDED: "circle-open"}
COLORS = {Outcome.PASS: "#2e9e5b", Outcome.FAIL: "#d64545", Outcome.UNDECIDED: "#8a8f98"}
UNJUDGED = "Not judged"
QUIET = "rgba(128, 128, 128, 0.75)"


def overlay(baseline: LoadTest, other: LoadTest) -> go.Figure:
    """Both tests' percentiles, where both samples support them."""
    deltas = [
        each
        for each in comparison.deltas(baseline, other)
        if each.before_ms is not None or each.after_ms is not None
    ]
    names = ["slowest" if each.rank == 100 else f"p{each.rank}" for each in deltas]
    figure = go.Figure(
        [
            _bars("Baseline", names, [each.before_ms for each in deltas]),
            _bars("Compared", names, [each.after_ms for each in deltas]),
        ]
    )
    base_layout(figure, height=HEIGHT, x_title="Percentile of requests", y_unit=" ms")
    return figure.update_layout(barmode="group")


def _bars(name: str, ranks: list[str], values_ms: list[float | None]) -> go.Bar:
    return go.Bar(
        x=ranks,
        y=values_ms,
        name=name,
        customdata=[formats.milliseconds(each) for each in values_ms],
        hovertemplate="%{customdata}",
    )


def value(test: LoadTest, figure: str) -> float | None:
    """What the trend shows of a test; None where its sample does not support it."""
    if test.report is None:
        return None
    if figure == RATE:
        return test.report.requests_per_s
    if figure == FAILED:
        share = findings.failure_share(test)
        return None if share is None else 100 * share
    return comparison.supported_ms(test.report, int(figure.removeprefix("p")))


def trend(
    tests: Sequence[LoadTest],
    figure: str,
    *,
    verdicts: Mapping[str, Verdict | None],
    thresholds: Thresholds,
    baseline: LoadTest | None,
    zone: tzinfo,
) -> go.Figure:
    """One point per load test, oldest first, with the verdict as its mark."""
    shown = [(test, value(test, figure)) for test in tests]
    drawn = go.Figure(
        go.Scatter(
            x=[test.created_at.astimezone(zone) for test, _ in shown],
            y=[each for _, each in shown],
            mode="lines",
            line={"color": QUIET, "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for outcome in (*Outcome, None):
        chosen = [
            (test, each)
            for test, each in shown
            if (found.outcome if (found := verdicts.get(test.id)) else None) is outcome
        ]
        if chosen:
            drawn.add_trace(_points(chosen, figure, outcome, zone))
    base_layout(drawn, height=HEIGHT, y_title=f"{figure} ({UNITS[figure]})")
    drawn.update_layout(hovermode="closest")
    for name, level in (
        ("threshold", _limit(thresholds, figure)),
        ("baseline", None if baseline is None else value(baseline, figure)),
    ):
        if level is not None:
            drawn.add_hline(
                y=level, line_dash="dot", line_color=QUIET, line_width=1, annotation_text=name
            )
    return drawn


def _points(
    chosen: Sequence[tuple[LoadTest, float | None]],
    figure: str,
    outcome: Outcome | None,
    zone: tzinfo,
) -> go.Scatter:
    return go.Scatter(
        x=[test.created_at.astimezone(zone) for test, _ in chosen],
        y=[each for _, each in chosen],
        customdata=[[formats.plain(test.name), test.model_id or ""] for test, _ in chosen],
        mode="markers",
        name=outcome.value if outcome else UNJUDGED,
        marker={
            "size": 10,
            "symbol": SYMBOLS[outcome] if outcome else "circle",
            **({"color": COLORS[outcome]} if outcome else {}),
        },
        hovertemplate=(
            f"%{{customdata[0]}}<br>%{{customdata[1]}}<br>%{{y:,.1f}} {UNITS[figure]}"
            "<extra></extra>"
        ),
    )


def _limit(thresholds: Thresholds, figure: str) -> float | None:
    return {
        P95: thresholds.p95_ms,
        RATE: thresholds.requests_per_s,
        FAILED: thresholds.failure_pct,
    }.get(figure)
