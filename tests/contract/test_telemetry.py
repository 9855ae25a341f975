"""The telemetry port's promises: what is sent where it says can be asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from services.app_insights import wire
from services.app_insights.sender import Sender
from services.domain import Panel, TimeWindow
from services.errors import InvalidRequestError

BIN = timedelta(minutes=5)


@pytest.fixture(scope="module")
def telemetry(workspace):
    return workspace.telemetry


@pytest.fixture(scope="module")
def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def window(now):
    return TimeWindow(start=now - timedelta(hours=2), end=now + timedelta(minutes=1), bin=BIN)


@pytest.fixture(scope="module")
def traffic(telemetry, now, window, tmp_path_factory):
    """Two deployments nobody else uses: 100 requests of which 7 failed, and 3 good ones."""
    import secrets
    import time

    busy, quiet = (f"telemetry-{secrets.token_hex(4)}" for _ in range(2))
    deadline = time.monotonic() + 60
    while not telemetry.connection_string:
        assert time.monotonic() < deadline, "nobody takes telemetry in"
        time.sleep(0.05)
    folder = tmp_path_factory.mktemp("spool")
    for name, codes in ((busy, ["200"] * 93 + ["400"] * 4 + ["500"] * 3), (quiet, ["200"] * 3)):
        sender = Sender(lambda: telemetry.connection_string, spool=folder / name, role=name)
        for number, code in enumerate(codes):
            sender.track(
                wire.request_envelope(
                    at=now - timedelta(seconds=30 * number),
                    request_id=f"{name}-{number}",
                    name="POST /score",
                    url="http://127.0.0.1/score",
                    duration_ms=10.0 + number,
                    result_code=code,
                    properties={"Service Name": name},
                )
            )
        described = {"Service Name": name, "Request Id": f"{name}-0"}
        sender.track(
            wire.trace_envelope(at=now, message='{"input": 1, "output": 2}', properties=described)
        )
        sender.track(
            wire.exception_envelope(at=now, error=ValueError("boom"), properties=described)
        )
        while sender.waiting_count:
            assert time.monotonic() < deadline, "telemetry was not taken in"
            time.sleep(0.05)
        sender.close()
    while len(telemetry.panel(Panel.EXCEPTIONS, window, quiet).frame) == 0:  # Azure takes minutes
        assert time.monotonic() < deadline + 600, "what was taken in cannot be asked for"
        time.sleep(0.1)
    return busy, quiet


def test_it_says_which_resource_is_asked(telemetry):
    assert telemetry.resource


def test_seven_of_a_hundred_failed(telemetry, window, traffic):
    (row,) = telemetry.panel(Panel.SUMMARY, window, traffic[0]).frame.to_dict("records")

    assert (row["requests"], row["failed"]) == (100, 7)
    assert row["mean_ms"] == pytest.approx(59.5)
    assert 58 <= row["p50_ms"] <= 60


def test_failures_are_told_by_result_code(telemetry, window, traffic):
    frame = telemetry.panel(Panel.FAILURES, window, traffic[0]).frame

    by_code = frame.groupby("code")[["requests", "failed"]].sum()
    assert by_code["failed"].to_dict() == {"200": 0, "400": 4, "500": 3}
    assert by_code["requests"].sum() == 100


def test_the_bins_add_up_and_lie_in_the_window(telemetry, window, traffic):
    frame = telemetry.panel(Panel.LATENCY, window, traffic[0]).frame

    assert frame["requests"].sum() == 100
    assert frame["t"].is_monotonic_increasing
    assert frame["t"].min() > window.start - BIN
    assert frame["t"].max() < window.end
    assert str(frame["t"].dt.tz) == "UTC"


def test_each_deployment_has_its_row(telemetry, window, traffic):
    frame = telemetry.panel(Panel.DEPLOYMENTS, window).frame.set_index("service")

    assert frame.loc[list(traffic), "requests"].tolist() == [100, 3]
    assert frame.loc[traffic[1], "failed"] == 0


def test_one_deployments_rows_are_its_own(telemetry, window, traffic):
    for panel in (Panel.SLOWEST, Panel.TRACES, Panel.CAPTURED):
        frame = telemetry.panel(panel, window, traffic[1]).frame
        assert set(frame["service"]) == {traffic[1]}
        assert all(request_id.startswith(traffic[1]) for request_id in frame["request_id"])
    (exception,) = telemetry.panel(Panel.EXCEPTIONS, window, traffic[1]).frame.to_dict("records")
    assert (exception["type"], exception["sample"]) == ("ValueError", "boom")


@pytest.mark.parametrize("panel", list(Panel))
def test_the_shown_query_gives_what_the_panel_shows(telemetry, window, traffic, panel):
    shown = telemetry.panel(panel, window, traffic[0])

    pasted = telemetry.query(telemetry.kql(panel, window, traffic[0]))

    assert shown.kql == pasted.kql
    assert shown.frame.equals(pasted.frame)


@pytest.mark.parametrize("panel", [each for each in Panel if each is not Panel.SUMMARY])
def test_no_traffic_is_no_rows(telemetry, window, panel):
    result = telemetry.panel(panel, window, "nobody-is-called-so")

    assert len(result.frame) == 0
    assert len(result.frame.columns) > 0


def test_no_traffic_has_no_percentiles(telemetry, window):
    (row,) = telemetry.panel(Panel.SUMMARY, window, "nobody-is-called-so").frame.to_dict("records")

    assert not row["requests"] or row["requests"] != row["requests"]
    assert row["p95_ms"] != row["p95_ms"]  # missing, not 0


def test_a_wrong_query_is_refused_with_the_reason(telemetry):
    with pytest.raises(InvalidRequestError, match="durationMs"):
        telemetry.query("requests | where durationMs > 1")


def test_a_result_says_when_it_was_fetched_and_how_long_that_took(telemetry):
    before = datetime.now(UTC)

    result = telemetry.query("print x = 1")

    assert result.frame.to_dict("list") == {"x": [1]}
    assert before <= result.fetched_at <= datetime.now(UTC)
    assert result.elapsed_ms > 0
    assert result.partial == ""
