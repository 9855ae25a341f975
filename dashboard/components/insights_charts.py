"""Four charts over one time axis: latency, failures, volume, availability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, charts_insights, charts_insights_marks, formats, reads, shell
from dashboard.charts_insights import Axis
from dashboard.components import failures, insights_events, insights_kql, insights_moment, panel
from dashboard.insights_view import View
from dashboard.readings import Stamped
from services import traffic
from services.chart_events import ChartEvent
from services.domain import Panel
from services.ports import QueryResult


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every chart of one view is drawn on, and what is drawn over it."""

    view: View
    time: Axis
    events: tuple[ChartEvent, ...] = ()
    earlier: tuple[ChartEvent, ...] = ()  # of the period before


Answer = tuple[QueryResult, pd.DataFrame | None]  # and what it was in the period before


def show(view: View) -> None:
    """The charts, two by two; each says how old it is and which query drew it."""
    canvas = canvas_of(view)
    left, right = st.columns(2, gap="small")
    with left:
        _panel("Latency", Panel.LATENCY, canvas, _latency)
        _panel("Requests", Panel.REQUESTS, canvas, _volume)
    with right:
        _panel("Failed requests", Panel.FAILURES, canvas, _failures)
        availability(canvas)
    insights_events.show(canvas.events, canvas.earlier)


def canvas_of(view: View) -> Canvas:
    return Canvas(
        view,
        charts_insights.axis(view.window, shell.zone()),
        events=insights_events.of(view),
        earlier=insights_events.of(view.before) if view.compared else (),
    )


def _panel(
    title: str, which: Panel, canvas: Canvas, draw: Callable[[Answer, Canvas], None]
) -> None:
    view = canvas.view
    panel.show(
        title,
        lambda: _answer(which, view),
        lambda answer: draw(answer, canvas),
        key=which.name.lower(),
        about=view.identity,
        is_empty=_empty,
        empty=f"No requests in the {view.span}.",
    )


def _answer(which: Panel, view: View) -> Stamped[Answer]:
    found = stamped(which, view)
    before = stamped(which, view.before).value.frame if view.compared else None
    return Stamped((found.value, before), found.at)


def _empty(answer: Answer) -> bool:
    return answer[0].frame.empty


def stamped(which: Panel, view: View) -> Stamped[QueryResult]:
    """The rows of a panel with the instant telemetry answered."""
    result = reads.telemetry(which, view.window, view.deployment, view.own_traffic)
    return Stamped(result, result.fetched_at)


def _latency(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    frame = result.frame
    figure = charts_insights.latency(frame, canvas.time)
    _over(figure, before, "p95_ms", canvas, name="p95 before", unit=" ms")
    _plot(figure, canvas, "latency", "Response time by percentile over time")
    few = charts_insights.few_requests(frame)
    words = f"{formats.count(frame['requests'].sum())} requests."
    if few:
        words += f" Dotted: too few requests to tell (p95 in {few} of {len(frame)} bins)."
    insights_kql.footnote(words, result, key="latency")


def _failures(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    frame = result.frame
    figure = charts_insights.failures(frame, canvas.time)
    _over(figure, before, "failed", canvas, name="failed before", unit="")
    _plot(figure, canvas, "failures", "Failed requests by result code")
    failed, requests = int(frame["failed"].sum()), int(frame["requests"].sum())
    words = f"{formats.count(failed)} of {formats.count(requests)} failed"
    words += f": {formats.percent(failed / requests)}." if failed else "."
    insights_kql.footnote(words if failed else "None failed.", result, key="failures")


def _volume(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    frame, view = result.frame, canvas.view
    figure = charts_insights.volume(frame, canvas.time, by_deployment=view.deployment is None)
    _over(figure, before, "requests", canvas, name="requests before", unit="")
    _plot(figure, canvas, "volume", "Requests over time")
    total = int(frame["requests"].sum())
    minutes = view.window.length.total_seconds() / 60
    words = f"{formats.count(total)} requests, {total / minutes:,.1f} a minute on average."
    insights_kql.footnote(words, result, key="volume")


def availability(canvas: Canvas) -> None:
    """From availability tests where there are any, from the traffic itself otherwise."""
    view = canvas.view
    panel.show(
        "Availability",
        lambda: _availability(view),
        lambda answer: _draw_availability(answer, canvas),
        key="availability",
        about=view.identity,
        is_empty=_empty,
        empty=f"Neither availability tests nor requests in the {view.span}.",
        help="The share of availability tests that were answered well. Where none ran, the "
        "share of requests the server did not answer with a status of 500 or above.",
    )


def _availability(view: View) -> Stamped[Answer]:
    tests = _answer(Panel.AVAILABILITY_TESTS, view)
    return _answer(Panel.AVAILABILITY_TRAFFIC, view) if _empty(tests.value) else tests


def _draw_availability(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    tested = "runs" in result.frame
    frame = result.frame.rename(columns={"runs" if tested else "requests": "n"})
    good = frame["good"] if tested else frame["n"] - frame["bad"]
    unit = "tests" if tested else "requests"
    figure = charts_insights.availability(frame, canvas.time, unit=unit)
    _over(figure, before, "availability_pct", canvas, name="available before", unit=" %")
    _plot(figure, canvas, "availability", f"Availability over time, from {unit}")
    count = int(frame["n"].sum())
    share = formats.percent(int(good.sum()) / count, digits=2)
    words = (
        f"{share} of {formats.count(count)} availability tests."
        if tested
        else f"{share}, from traffic: {formats.count(count)} requests; no availability test ran."
    )
    insights_kql.footnote(words, result, key="availability")


def _over(
    figure: go.Figure,
    before: pd.DataFrame | None,
    column: str,
    canvas: Canvas,
    *,
    name: str,
    unit: str,
) -> None:
    """The period before, under this one; several rows of one bin count together."""
    if before is not None and not before.empty:
        charts_insights_marks.overlay(
            figure, before, column, canvas.time, shift=canvas.view.shift, name=name, unit=unit
        )


# Dragging zooms and a double click zooms out: few buttons, or they would lie on the legend.
_CONFIG = {
    **charts.CONFIG,
    "modeBarButtonsToRemove": [
        *charts.CONFIG["modeBarButtonsToRemove"],
        *("zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"),
    ],
}


def _plot(figure: go.Figure, canvas: Canvas, key: str, alt: str) -> None:
    """A click on a bin opens what is inside it."""
    name = f"insights.{key}"
    charts_insights_marks.choose(figure, canvas.time, insights_moment.chosen())
    charts_insights_marks.mark(figure, canvas.time, canvas.events)
    charts_insights_marks.mark(figure, canvas.time, canvas.earlier, shift=canvas.view.shift)
    st.plotly_chart(
        figure,
        config=_CONFIG,
        key=name,
        alt=alt,
        on_select=partial(insights_moment.choose, name, canvas.time),
        selection_mode="points",
    )


def summary(view: View) -> Stamped[traffic.Traffic]:
    """The window's totals."""
    found = stamped(Panel.SUMMARY, view)
    return Stamped(traffic.total(found.value), found.at)


def before(view: View) -> traffic.Traffic | None:
    """The totals of the period before, where they are wanted and can be told."""
    if not view.compared:
        return None
    with failures.reported():
        return summary(view.before).value
    return None  # the tiles are worth showing without their changes
