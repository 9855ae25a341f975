"""Which of the audit log's events a chart shows, and where."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts_insights, charts_insights_marks
from services import chart_events, own_traffic
from services.chart_events import EventKind
from services.domain import AuditEvent, TimeWindow

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
WINDOW = TimeWindow(start=START, end=START + HOUR, bin=5 * MINUTE)
AXIS = charts_insights.axis(WINDOW, UTC)


def event(action, subject, minute=0.0, actor="ada", **after):
    at = START + minute * MINUTE
    return AuditEvent(at=at, actor=actor, action=action, subject=subject, after=after)


def found(*audit, deployment="bank"):
    return chart_events.events(audit, deployment=deployment, start=WINDOW.start, end=WINDOW.end)


def test_each_action_has_its_kind_and_others_have_none():
    audit = (
        event("deployment.create", "deployment/bank", 1),
        event("deployment.regenerate key", "deployment/bank", 2),
        event("rotation.begin", "deployment/bank", 3),
        event("load_test.begin", "load_test/7", 4, deployment="bank"),
        event("pipeline.submit", "pipeline/p", 5),
        event("pipeline.submit", "pipeline/p", 6, actor="schedule/nightly"),
        event("dataset.register", "dataset/bank", 7),
    )

    assert [each.kind for each in found(*reversed(audit))] == [
        EventKind.DEPLOYMENT,
        EventKind.KEY,
        EventKind.KEY,
        EventKind.BENCHMARK,
        EventKind.RETRAIN,
        EventKind.SCHEDULE,
    ]


def test_another_deployments_events_are_left_out_and_a_stop_belongs_to_its_benchmark():
    audit = (
        event("deployment.update", "deployment/other", 1),
        event("load_test.begin", "load_test/7", 2, deployment="bank"),
        event("load_test.stop", "load_test/7", 3),
        event("load_test.begin", "load_test/8", 4, deployment="other"),
        event("load_test.stop", "load_test/8", 5),
    )

    assert [each.text for each in found(*audit)] == [
        "bank: benchmark started",
        "bank: benchmark stopped",
    ]
    assert len(found(*audit, deployment=None)) == 5


def test_the_window_is_half_open():
    edges = [event("deployment.update", "deployment/bank", minute) for minute in (-0.1, 0, 60)]

    assert [each.at for each in found(*edges)] == [START]


def test_marks_of_the_period_before_stand_at_the_shifted_time():
    figure = go.Figure()
    earlier = chart_events.events(
        [event("deployment.update", "deployment/bank", -47)],
        deployment="bank",
        start=START - HOUR,
        end=START,
    )

    figure = charts_insights_marks.mark(figure, AXIS, (), earlier=earlier, shift=HOUR)

    (line,), (sign,) = figure.layout.shapes, figure.layout.annotations
    assert line.x0 == sign.x == "2026-11-22 10:13:00.000"
    assert line.line.dash == "dash"
    assert "22 Nov 09:13:00 UTC" in sign.hovertext


def test_events_of_one_bin_share_one_mark_and_a_name_is_no_markup():
    figure = go.Figure()
    audit = [event("deployment.update", "deployment/<b>", 1 + n / 10) for n in range(8)]

    figure = charts_insights_marks.mark(figure, AXIS, found(*audit, deployment=None))

    (sign,) = figure.layout.annotations
    assert "&lt;b>: updated" in sign.hovertext
    assert sign.hovertext.endswith("and 2 more")


def test_the_period_before_lies_under_this_one_bin_by_bin():
    figure = go.Figure()
    frame = pd.DataFrame(
        {
            "t": pd.to_datetime([START - HOUR, START - HOUR, START - 5 * MINUTE], utc=True),
            "failed": [1, 2, 4],
        }
    )

    charts_insights_marks.overlay(
        figure, frame, "failed", AXIS, shift=HOUR, name="failed before", unit=""
    )

    values = json.loads(figure.to_json())["data"][0]["y"]
    shown = figure.data[0].y
    assert values
    assert (shown[0], shown[-1]) == (3, 4)
    assert pd.isna(shown[1:-1]).all()


def test_who_sent_a_request():
    said = [own_traffic.sender(each) for each in ("loadtest-7", "probe-ab", "crm", "", None)]

    assert said == ["load test 7", "probe", "crm", "", ""]
