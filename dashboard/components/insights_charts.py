"""Four charts over one time axis: latency, failures, volume, availability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import (
    charts,
    charts_insights,
    charts_insights_marks,
    drawing,
    formats,
    once,
    reads,
    shell,
)
from dashboard.charts_insights import Axis
from dashboard.components import failures, insights_events, insights_kql, insights_moment, panel
from dashboard.insights_view import View
from dashboard.readings import Stamped
from services import traffic
from services.chart_events import ChartEvent
from services.domain import Panel, TimeWindow
from services.ports import QueryResult


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every chart of one view is drawn on, and what is drawn over it."""

    view: View
    time: Axis
    events: tuple[ChartEvent, ...] = ()
    earlier: tuple[ChartEvent, ...] = ()  # of the period before


@dataclass(frozen=True, slots=True)
class Over:
    """What is drawn of the period before."""

    column: str  # several rows of one bin count together
    name: str
    unit: str = ""


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


_axis = once.once(charts_insights.axis)


def canvas_of(view: View) -> Canvas:
    return Canvas(
        view,
        _axis(view.window, shell.zone()),
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
    over = Over("p95_ms", "p95 before", " ms")
    figure = _figure(charts_insights.latency, frame, before, over, canvas, insights_moment.chosen())
    _plot(figure, canvas, "latency", "Response time by percentile over time")
    few = charts_insights.few_requests(frame)
    words = f"{formats.count(frame['requests'].sum())} requests."
    if few:
        words += f" Dotted: too few requests to tell (p95 in {few} of {len(frame)} bins)."
    insights_kql.footnote(words, result, key="latency")


def _failures(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    frame = result.frame
    over = Over("failed", "failed before")
    chosen = insights_moment.chosen()
    figure = _figure(charts_insights.failures, frame, before, over, canvas, chosen)
    _plot(figure, canvas, "failures", "Failed requests by result code")
    failed, requests = int(frame["failed"].sum()), int(frame["requests"].sum())
    words = f"{formats.count(failed)} of {formats.count(requests)} failed"
    words += f": {formats.percent(failed / requests)}." if failed else "."
    insights_kql.footnote(words if failed else "None failed.", result, key="failures")


def _volume(answer: Answer, canvas: Canvas) -> None:
    result, before = answer
    frame, view = result.frame, canvas.view
    draw = _volume_of_each if view.deployment is None else _volume_of_one
    over = Over("requests", "requests before")
    figure = _figure(draw, frame, before, over, canvas, insights_moment.chosen())
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
    frame = result.frame
    tested = "runs" in frame
    draw = _availability_of_tests if tested else _availability_of_traffic
    over = Over("availability_pct", "available before", " %")
    figure = _figure(draw, frame, before, over, canvas, insights_moment.chosen())
    unit = "tests" if tested else "requests"
    _plot(figure, canvas, "availability", f"Availability over time, from {unit}")
    good = frame["good"] if tested else frame["requests"] - frame["bad"]
    count = int(frame["runs" if tested else "requests"].sum())
    share = formats.percent(int(good.sum()) / count, digits=2)
    words = (
        f"{share} of {formats.count(count)} availability tests."
        if tested
        else f"{share}, from traffic: {formats.count(count)} requests; no availability test ran."
    )
    insights_kql.footnote(words, result, key="availability")


@drawing.drawn
def _figure(
    draw: Callable[[pd.DataFrame, Axis], go.Figure],
    frame: pd.DataFrame,
    before: pd.DataFrame | None,
    over: Over,
    canvas: Canvas,
    chosen: TimeWindow | None,
) -> go.Figure:
    """One chart, the period before under it, and what is marked on every chart over it."""
    time, shift = canvas.time, canvas.view.shift
    figure = draw(frame, time)
    if before is not None and not before.empty:
        charts_insights_marks.overlay(
            figure, before, over.column, time, shift=shift, name=over.name, unit=over.unit
        )
    charts_insights_marks.choose(figure, time, chosen)
    return charts_insights_marks.mark(
        figure, time, canvas.events, earlier=canvas.earlier, shift=shift
    )


# One object each: a figure is known by what draws it.
_volume_of_each = partial(charts_insights.volume, by_deployment=True)
_volume_of_one = partial(charts_insights.volume, by_deployment=False)


def _availability_of_tests(frame: pd.DataFrame, time: Axis) -> go.Figure:
    return charts_insights.availability(frame.rename(columns={"runs": "n"}), time, unit="tests")


def _availability_of_traffic(frame: pd.DataFrame, time: Axis) -> go.Figure:
    counted = frame.rename(columns={"requests": "n"})
    return charts_insights.availability(counted, time, unit="requests")


# Dragging zooms and a double click zooms out: few buttons, or they would lie on the legend.
_CONFIG = {
    **charts.CONFIG,
    "modeBarButtonsToRemove": [
        *charts.CONFIG["modeBarButtonsToRemove"],
        *("zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"),
    ],
}


def _plot(figure: drawing.Drawn, canvas: Canvas, key: str, alt: str) -> None:
    """A click on a bin opens what is inside it."""
    name = f"insights.{key}"
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
