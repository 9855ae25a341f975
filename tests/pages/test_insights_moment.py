"""App Insights metrics: what is inside a bin that was clicked."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard import charts_insights, insights_view
from dashboard.components import insights_moment
from services.app_insights import wire
from services.domain import TimeWindow
from tests.recorded import deployments, telemetry
from tests.recorded.telemetry import Request

FIVE = timedelta(minutes=5)


@pytest.fixture
def bin_start():
    """Of a bin that is over, some half an hour ago."""
    seconds = datetime.now(UTC).timestamp() // 300 * 300
    return datetime.fromtimestamp(seconds, UTC) - 6 * FIVE


@pytest.fixture
def recorded(local_workspace, home, bin_start):
    """Three requests in the bin, and one on each side of it, at its very edges."""
    deployments.deployment(home, local_workspace.store, "bank", telemetry=True)
    inside = [timedelta(0), timedelta(minutes=1), FIVE - timedelta(milliseconds=1)]
    around = [-timedelta(milliseconds=1), FIVE]
    telemetry.requests(
        home,
        [
            Request(at=bin_start + offset, request_id=f"r{number}", result_code="500")
            for number, offset in enumerate([*inside, *around])
        ],
    )
    said = {"Service Name": "bank", "Request Id": "r1", "Client Request Id": "loadtest-7"}
    telemetry.items(
        home,
        [
            item
            for offset, word in ((timedelta(minutes=1), "inside"), (FIVE, "after"))
            for item in (
                wire.trace_envelope(at=bin_start + offset, message=word, properties=said),
                wire.exception_envelope(
                    at=bin_start + offset, error=ValueError(word), properties=said
                ),
            )
        ],
    )


def bin_of(start):
    return insights_view.written(TimeWindow(start=start, end=start + FIVE, bin=FIVE))


def inside_table(page):
    return page.dataframe[0].value


def test_the_requests_of_the_bin_and_no_others(open_page, recorded, home, bin_start):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", at=bin_of(bin_start))

    assert not page.exception
    assert inside_table(page)["Request id"].tolist() == ["r0", "r1", "r2"]
    assert any(each.value == "3 requests." for each in page.caption)


@pytest.mark.parametrize("table", ["Exceptions", "Traces"])
def test_exceptions_and_traces_of_the_bin(open_page, recorded, home, bin_start, table):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", at=bin_of(bin_start), inside=table)

    shown = inside_table(page)
    assert shown["Text"].tolist() == ["inside"]
    assert shown["Sent by"].tolist() == ["load test 7"]


def test_the_chosen_bin_is_shaded_in_every_chart(open_page, recorded, home, bin_start):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", at=bin_of(bin_start))

    charts = [each.proto.spec for each in page.get("plotly_chart")]
    assert len(charts) == 4
    assert all('"type":"rect"' in spec for spec in charts)


def test_closing_takes_it_out_of_the_address(open_page, recorded, home, bin_start):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", at=bin_of(bin_start))
        page.button(key="insights.moment-close").click()
        page.run()

    assert "at" not in page.query_params
    assert any("Click a point or a bar" in each.value for each in page.caption)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-41T00:00:00Z/60s", "2026-11-22T10:00:00Z/0s"]
)
def test_an_address_that_means_no_bin_opens_none(text):
    assert insights_view.read(text) is None


def test_an_address_means_the_bin_it_was_written_for(bin_start):
    window = TimeWindow(start=bin_start, end=bin_start + FIVE, bin=FIVE)

    assert insights_view.read(insights_view.written(window)) == window


def test_a_click_on_the_third_point_is_the_third_bin(monkeypatch, bin_start):
    window = TimeWindow(start=bin_start, end=bin_start + 6 * FIVE, bin=FIVE)
    axis = charts_insights.axis(window, UTC)
    clicked = {"chart": {"selection": {"points": [{"point_index": 2, "curve_number": 0}]}}}
    address = {}
    monkeypatch.setattr(insights_moment.st, "session_state", clicked)
    monkeypatch.setattr(insights_moment.st, "query_params", address)

    insights_moment.choose("chart", axis)
    assert insights_view.read(address["at"]).start == bin_start + 2 * FIVE

    insights_moment.choose("chart", axis)  # once more: it closes
    assert address == {}
