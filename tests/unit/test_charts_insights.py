"""Figures about telemetry, and the window they share."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from dashboard import charts_insights, insights_view
from services.domain import TimeWindow

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def window(bins=6, minutes=10):
    bin = timedelta(minutes=minutes)
    return TimeWindow(start=START, end=START + bins * bin - timedelta(seconds=100), bin=bin)


@pytest.fixture
def time():
    return charts_insights.axis(window(), BERLIN)


def instants(*places):
    at = [START + timedelta(minutes=10) * place for place in places]
    return pd.to_datetime(pd.Series(at, dtype="object"), utc=True).dt.as_unit("us")


def latency_frame(counts):
    """Bins 0, 1, …: where a count is 0 there is no row, as in an answer."""
    places = [place for place, count in enumerate(counts) if count]
    return pd.DataFrame(
        {
            "t": instants(*places),
            "requests": [counts[place] for place in places],
            "mean_ms": [10.0 + place for place in places],
            "p50_ms": [9.0] * len(places),
            "p95_ms": [20.0] * len(places),
            "p99_ms": [30.0] * len(places),
        }
    )


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


# --- the axis ---


def test_the_axis_is_the_whole_bins_of_the_window_in_the_viewers_zone(time):
    assert len(time.starts) == 6
    assert time.first == "2026-11-22 11:00:00"
    assert time.end == "2026-11-22 12:00:00"
    assert time.spoken[0] == "22 Nov 10:00 UTC"


def test_time_runs_forward_where_the_clocks_go_back():
    night = TimeWindow(
        start=datetime(2026, 10, 24, 22, tzinfo=UTC),
        end=datetime(2026, 10, 25, 6, tzinfo=UTC),
        bin=timedelta(hours=1),
    )

    axis = charts_insights.axis(night, BERLIN)

    assert (axis.first, axis.end) == ("2026-10-24 23:00:00", "2026-10-25 07:00:00")


def test_values_find_their_bins_and_the_rest_is_missing(time):
    values = time.at(instants(1, 4, 4), pd.Series([2, 3, 4]))

    assert np.array_equal(values, [np.nan, 2, np.nan, np.nan, 7, np.nan], equal_nan=True)


def test_all_four_charts_have_the_same_range(time):
    frame = latency_frame([400] * 6)
    counted = pd.DataFrame({"t": frame["t"], "requests": 400, "failed": 3, "service": "bank"})
    coded = counted.assign(code="500")
    available = pd.DataFrame({"t": frame["t"], "availability_pct": 99.0, "n": 4})

    figures = [
        charts_insights.latency(frame, time),
        charts_insights.failures(coded, time),
        charts_insights.volume(counted, time, by_deployment=True),
        charts_insights.availability(available, time, unit="tests"),
    ]

    assert {figure.layout.xaxis.range for figure in figures} == {
        ("2026-11-22 11:00:00", "2026-11-22 12:00:00")
    }


# --- latency ---


def test_a_bin_without_requests_is_a_gap(time):
    figure = charts_insights.latency(latency_frame([400, 0, 400, 400, 400, 400]), time)

    for trace in figure.data:
        assert np.isnan(trace.y[1])
        assert not trace.connectgaps


def test_the_hover_says_how_many_requests_a_value_rests_on(time):
    (mean,) = traces(charts_insights.latency(latency_frame([400, 1234, 0, 1, 1, 1]), time), "mean")

    assert mean.text[1] == "n = 1,234 · 22 Nov 10:10 UTC"
    assert "%{text}" in mean.hovertemplate


def test_a_percentile_of_too_few_requests_is_dotted(time):
    figure = charts_insights.latency(latency_frame([100, 100, 20, 100, 100, 100]), time)

    (p50,) = traces(figure, "p50")  # five are enough
    assert p50.line.dash is None
    under, over = traces(figure, "p95")  # 59 are needed
    assert under.line.dash == "dot"
    assert under.y[2] == 20.0
    assert np.isnan(over.y[2])
    assert over.y[3] == 20.0
    under, over = traces(figure, "p99")  # 299 are needed
    assert np.isnan(over.y).all()
    assert "few requests" in under.text[0]


def test_a_value_without_neighbours_can_be_seen(time):
    figure = charts_insights.latency(latency_frame([0, 400, 0, 400, 400, 0]), time)

    (mean,) = traces(figure, "mean")
    assert mean.mode == "lines+markers"
    assert mean.marker.opacity.tolist() == [0, 1, 0, 0, 0, 0]


def test_bins_with_too_few_requests_are_counted():
    assert charts_insights.few_requests(latency_frame([58, 59, 1000])) == 1


# --- failures ---


def failures_frame():
    return pd.DataFrame(
        {
            "t": instants(0, 0, 0, 2),
            "code": ["200", "400", "500", "200"],
            "requests": [93, 4, 3, 50],
            "failed": [0, 4, 3, 0],
        }
    )


def test_seven_of_a_hundred_are_seven_percent(time):
    figure = charts_insights.failures(failures_frame(), time)

    (rate,) = traces(figure, "rate")
    assert rate.y[0] == pytest.approx(7.0)
    assert traces(figure, "400")[0].y[0] == 4
    assert traces(figure, "500")[0].y[0] == 3
    assert traces(figure, "200") == []


def test_a_bin_without_requests_has_no_failure_rate(time):
    (rate,) = traces(charts_insights.failures(failures_frame(), time), "rate")

    assert np.isnan(rate.y[1])
    assert rate.y[2] == 0


def test_the_callers_and_the_servers_failures_differ_in_colour(time):
    figure = charts_insights.failures(failures_frame(), time)

    colors = {name: traces(figure, name)[0].marker.color for name in ("400", "500")}
    assert colors == {"400": charts_insights.AMBER, "500": charts_insights.RED}


def test_no_failures_still_show_that_there_was_traffic(time):
    frame = failures_frame().query("failed == 0")

    figure = charts_insights.failures(frame, time)

    assert [trace.name for trace in figure.data] == ["rate"]
    assert figure.layout.yaxis2.range == (0, 0.25)


@pytest.mark.parametrize("code", ["0", "", "weird", "302"])
def test_a_code_of_no_known_kind_is_still_drawn(time, code):
    frame = pd.DataFrame({"t": instants(0), "code": [code], "requests": [1], "failed": [1]})

    assert traces(charts_insights.failures(frame, time), code)[0].y[0] == 1


# --- volume and availability ---


def test_the_bars_of_all_deployments_add_up(time):
    frame = pd.DataFrame(
        {
            "t": instants(*range(6), 0, 1),
            "service": ["busy"] * 6 + ["quiet"] * 2,
            "requests": [100] * 6 + [1, 2],
            "failed": 0,
        }
    )

    figure = charts_insights.volume(frame, time, by_deployment=True)

    assert [trace.name for trace in figure.data] == ["busy", "quiet"]
    assert sum(np.nansum(trace.y) for trace in figure.data) == 603
    assert figure.layout.barmode == "stack"


def test_many_deployments_do_not_run_out_of_colours(time):
    names = [f"d{place:02}" for place in range(20)]
    frame = pd.DataFrame({"t": instants(*[0] * 20), "service": names, "requests": 10, "failed": 0})

    figure = charts_insights.volume(frame, time, by_deployment=True)

    assert figure.data[-1].name == "12 others"
    assert sum(np.nansum(trace.y) for trace in figure.data) == 200


def test_one_deployments_bars_say_how_requests_ended(time):
    frame = pd.DataFrame({"t": instants(0), "service": "bank", "requests": [10], "failed": [4]})

    figure = charts_insights.volume(frame, time, by_deployment=False)

    assert {trace.name: trace.y[0] for trace in figure.data} == {"succeeded": 6, "failed": 4}


def test_a_name_that_is_markup_is_shown_as_it_stands(time):
    frame = pd.DataFrame({"t": instants(0), "service": ["<b>x"], "requests": [1], "failed": [0]})

    figure = charts_insights.volume(frame, time, by_deployment=True)

    assert figure.data[0].name == "&lt;b>x"


def test_availability_leaves_room_to_see_a_small_dip(time):
    frame = pd.DataFrame({"t": instants(0, 1), "availability_pct": [100.0, 99.5], "n": [10, 200]})

    low, high = charts_insights.availability(frame, time, unit="requests").layout.yaxis.range

    assert 90 < low < 99.5
    assert 100 < high < 101


# --- the view ---


@pytest.mark.parametrize(
    ("hours", "first", "last"), [(1, "1 min", "5 min"), (24, "5 min", "2 h"), (720, "2 h", "1 d")]
)
def test_a_window_is_cut_into_neither_too_few_nor_too_many_bins(hours, first, last):
    window = TimeWindow(start=START, end=START + timedelta(hours=hours), bin=timedelta(hours=1))

    names = insights_view.bins_for(window)

    assert (names[0], names[-1]) == (first, last)


def test_a_chosen_bin_moves_the_start_to_a_whole_one():
    given = window(bins=60, minutes=1)
    given = insights_view.with_bin(
        TimeWindow(start=START + timedelta(minutes=3), end=given.end, bin=given.bin), "5 min"
    )

    assert given.start == START
    assert given.bin == timedelta(minutes=5)


@pytest.mark.parametrize("name", [None, "1 d", "nonsense"])
def test_a_bin_that_does_not_fit_leaves_the_window_as_it_is(name):
    given = window(bins=60, minutes=1)

    assert insights_view.with_bin(given, name) == given
