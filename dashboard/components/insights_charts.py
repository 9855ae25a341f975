"""Four charts over one time axis: latency, failures, volume, availability."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, charts_insights, formats, reads, shell
from dashboard.charts_insights import Axis
from dashboard.components import insights_kql, panel
from dashboard.insights_view import View
from dashboard.readings import Stamped
from services import traffic
from services.domain import Panel
from services.ports import QueryResult


def show(view: View) -> None:
    """The charts, two by two; each says how old it is and which query drew it."""
    time = charts_insights.axis(view.window, shell.zone())
    left, right = st.columns(2, gap="small")
    with left:
        _panel("Latency", Panel.LATENCY, view, lambda result: _latency(result, time))
        _panel("Requests", Panel.REQUESTS, view, lambda result: _volume(result, time, view))
    with right:
        _panel("Failed requests", Panel.FAILURES, view, lambda result: _failures(result, time))
        availability(view, time)


def _panel(title: str, which: Panel, view: View, draw: Callable[[QueryResult], None]) -> None:
    panel.show(
        title,
        lambda: stamped(which, view),
        draw,
        key=which.name.lower(),
        about=(view.deployment, view.span, view.window.bin),
        is_empty=lambda result: result.frame.empty,
        empty=f"No requests in the {view.span}.",
    )


def stamped(which: Panel, view: View) -> Stamped[QueryResult]:
    """The rows of a panel with the instant telemetry answered."""
    result = reads.telemetry(which, view.window, view.deployment)
    return Stamped(result, result.fetched_at)


def _latency(result: QueryResult, time: Axis) -> None:
    frame = result.frame
    _plot(charts_insights.latency(frame, time), "latency", "Response time by percentile over time")
    few = charts_insights.few_requests(frame)
    words = f"{formats.count(frame['requests'].sum())} requests."
    if few:
        words += f" Dotted: too few requests to tell (p95 in {few} of {len(frame)} bins)."
    insights_kql.footnote(words, result, key="latency")


def _failures(result: QueryResult, time: Axis) -> None:
    frame = result.frame
    _plot(charts_insights.failures(frame, time), "failures", "Failed requests by result code")
    failed, requests = int(frame["failed"].sum()), int(frame["requests"].sum())
    words = f"{formats.count(failed)} of {formats.count(requests)} failed"
    words += f": {formats.percent(failed / requests)}." if failed else "."
    insights_kql.footnote(words if failed else "None failed.", result, key="failures")


def _volume(result: QueryResult, time: Axis, view: View) -> None:
    frame = result.frame
    figure = charts_insights.volume(frame, time, by_deployment=view.deployment is None)
    _plot(figure, "volume", "Requests over time")
    total = int(frame["requests"].sum())
    minutes = view.window.length.total_seconds() / 60
    words = f"{formats.count(total)} requests, {total / minutes:,.1f} a minute on average."
    insights_kql.footnote(words, result, key="volume")


def availability(view: View, time: Axis) -> None:
    """From availability tests where there are any, from the traffic itself otherwise."""

    def draw(result: QueryResult) -> None:
        _draw_availability(result, time)

    panel.show(
        "Availability",
        lambda: _availability(view),
        draw,
        key="availability",
        about=(view.deployment, view.span, view.window.bin),
        is_empty=lambda result: result.frame.empty,
        empty=f"Neither availability tests nor requests in the {view.span}.",
        help="The share of availability tests that were answered well. Where none ran, the "
        "share of requests the server did not answer with a status of 500 or above.",
    )


def _availability(view: View) -> Stamped[QueryResult]:
    tests = stamped(Panel.AVAILABILITY_TESTS, view)
    return stamped(Panel.AVAILABILITY_TRAFFIC, view) if tests.value.frame.empty else tests


def _draw_availability(result: QueryResult, time: Axis) -> None:
    tested = "runs" in result.frame
    frame = result.frame.rename(columns={"runs" if tested else "requests": "n"})
    good = frame["good"] if tested else frame["n"] - frame["bad"]
    unit = "tests" if tested else "requests"
    figure = charts_insights.availability(frame, time, unit=unit)
    _plot(figure, "availability", f"Availability over time, from {unit}")
    count = int(frame["n"].sum())
    share = formats.percent(int(good.sum()) / count, digits=2)
    words = (
        f"{share} of {formats.count(count)} availability tests."
        if tested
        else f"{share}, from traffic: {formats.count(count)} requests; no availability test ran."
    )
    insights_kql.footnote(words, result, key="availability")


# Dragging zooms and a double click zooms out: few buttons, or they would lie on the legend.
_CONFIG = {
    **charts.CONFIG,
    "modeBarButtonsToRemove": [
        *charts.CONFIG["modeBarButtonsToRemove"],
        *("zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"),
    ],
}


def _plot(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, config=_CONFIG, key=f"insights.{key}", alt=alt)


def summary(view: View) -> Stamped[traffic.Traffic]:
    """The window's totals."""
    found = stamped(Panel.SUMMARY, view)
    return Stamped(traffic.total(found.value), found.at)
