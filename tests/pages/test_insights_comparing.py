"""App Insights metrics: own traffic left out, events marked, the period before."""

from datetime import UTC, datetime, timedelta

import pytest

from services.app_insights import wire
from tests.recorded import deployments, telemetry

BENCHMARK_N, PROBES_N, OTHERS_N = 40, 3, 10


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def bank(local_workspace, home):
    deployments.deployment(home, local_workspace.store, "bank", telemetry=True)


def request(at, number, *, client_id="", duration_ms=10.0):
    said = {"Service Name": "bank", "Request Id": f"{client_id}{number}"}
    if client_id:
        said["Client Request Id"] = client_id
    return wire.request_envelope(
        at=at + timedelta(milliseconds=number),
        request_id=f"{client_id}{number}",
        name="POST /score",
        url="http://127.0.0.1/score",
        duration_ms=duration_ms,
        result_code="200",
        properties=said,
    )


@pytest.fixture
def three_kinds(home, bank, now):
    """A slow benchmark, probes, and others who were answered quickly."""
    at = now - timedelta(minutes=5)
    telemetry.items(
        home,
        [request(at, n) for n in range(OTHERS_N - 1)]
        + [request(at, 99, client_id="crm")]
        + [request(at, n, client_id="loadtest-7", duration_ms=900.0) for n in range(BENCHMARK_N)]
        + [request(at, n, client_id=f"probe-{n}", duration_ms=500.0) for n in range(PROBES_N)],
    )


def metrics(page):
    return {metric.label: metric.value for metric in page.metric}


def test_own_traffic_left_out_takes_exactly_the_benchmark_and_the_probes(
    open_page, three_kinds, home
):
    with telemetry.answering(home):
        every = metrics(open_page("app_insights", deployment="bank"))
        page = open_page("app_insights", deployment="bank", **{"others-only": "true"})

    assert not page.exception
    assert int(every["Requests"]) - int(metrics(page)["Requests"]) == BENCHMARK_N + PROBES_N
    assert metrics(page)["p95"] == metrics(page)["p50"]  # as before the benchmark
    assert every["p95"] != metrics(page)["p95"]


def test_the_benchmark_alone_is_taken_by_every_panel(open_page, three_kinds, home):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", **{"others-only": "true"})

    assert any(each.value.startswith(f"{OTHERS_N} requests,") for each in page.caption)
    assert page.dataframe[-1].value["Requests"].tolist() == [OTHERS_N]


def test_what_was_done_is_marked_and_listed(open_page, three_kinds, local_workspace, home):
    local_workspace.audit.record(
        "load_test.begin", "load_test/7", after={"deployment": "bank", "plan": "x"}
    )
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank")

    listed = page.expander[0]
    assert "1 event" in listed.label
    assert listed.dataframe[0].value["What"].tolist() == ["bank: benchmark started"]
    assert all(
        "\\u25cf" in each.proto.spec or "●" in each.proto.spec for each in page.get("plotly_chart")
    )


def test_the_period_before_gives_the_tiles_their_change(open_page, bank, home, now):
    ago = now - timedelta(hours=24, minutes=30)
    telemetry.items(home, [request(now - timedelta(minutes=5), n) for n in range(15)])
    telemetry.items(home, [request(ago, n, duration_ms=5.0) for n in range(10)])
    with telemetry.answering(home):
        plain = open_page("app_insights", deployment="bank")
        page = open_page("app_insights", deployment="bank", compared="true")

    assert {metric.delta for metric in plain.metric} == {""}
    deltas = {metric.label: metric.delta for metric in page.metric}
    assert deltas["Requests"] == "+50.0 %"
    assert deltas["p95"] == "+100.0 %"
    assert deltas["Failure rate"] == "+0.0 points"
    assert all(" before" in each.proto.spec for each in page.get("plotly_chart"))


def test_nothing_before_is_said_and_is_no_change(open_page, three_kinds, home):
    with telemetry.answering(home):
        page = open_page("app_insights", deployment="bank", compared="true")

    assert not page.exception
    assert {metric.delta for metric in page.metric} == {""}
    assert any("nothing to compare with" in each.value for each in page.caption)
