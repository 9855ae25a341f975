"""App Insights metrics, as the operator sees them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from dashboard import readings
from services.app_insights import wire
from services.domain import DeploymentState
from services.errors import AccessDeniedError, NotFoundError
from tests.recorded import deployments, load_tests, telemetry
from tests.recorded.telemetry import Request


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def bank(local_workspace, home):
    deployments.deployment(home, local_workspace.store, "bank", telemetry=True)


@pytest.fixture
def seven_failed(home, now):
    """A hundred requests to bank five minutes ago, of which seven failed."""
    given = [Request(duration_ms=10.0 + number) for number in range(93)]
    given += [Request(result_code="400")] * 4 + [Request(result_code="500")] * 3
    telemetry.requests(home, given, at=now - timedelta(minutes=5))


@pytest.fixture
def answering(home):
    """To be used after everything was recorded: one process has the file at a time."""
    return lambda: telemetry.answering(home)


def charts(page):
    return [each.proto for each in page.get("plotly_chart")]


def texts(page):
    return [each.value for kind in ("caption", "markdown") for each in page.get(kind)]


def warnings(page):
    return [each.value for each in page.warning]


def metrics(page):
    return {metric.label: metric.value for metric in page.metric}


# --- with traffic ---


def test_the_window_in_six_numbers(open_page, bank, seven_failed, answering):
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert not page.exception
    shown = metrics(page)
    assert shown["Requests"] == "100"
    assert shown["Failure rate"] == "7.0 %"
    assert shown["p50"].endswith(" ms")


def test_four_charts_over_one_axis(open_page, bank, seven_failed, answering):
    with answering():
        page = open_page("app_insights", deployment="bank")

    specs = [json.loads(chart.spec) for chart in charts(page)]
    assert len(specs) == 4
    assert len({tuple(spec["layout"]["xaxis"]["range"]) for spec in specs}) == 1
    assert all(chart.alt for chart in charts(page))
    assert "7 of 100 failed: 7.0 %." in texts(page)


def test_nothing_is_drawn_anew_when_nothing_changed(open_page, bank, seven_failed, answering):
    with answering():
        page = open_page("app_insights", deployment="bank")
        before = [chart.spec for chart in charts(page)]
        page.run()

    assert [chart.spec for chart in charts(page)] == before


def test_availability_says_that_it_is_from_traffic_while_no_test_ran(
    open_page, bank, seven_failed, answering
):
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert any("97.00 %, from traffic: 100 requests" in text for text in texts(page))


def test_availability_is_the_share_of_tests_where_tests_ran(
    open_page, bank, seven_failed, answering, home, now
):
    telemetry.items(
        home,
        [
            telemetry._probe("bank", now - timedelta(minutes=minute), ok=minute != 3)
            for minute in range(1, 9)
        ],
    )
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert "87.50 % of 8 availability tests." in texts(page)


def test_a_percentile_of_too_few_requests_is_called_a_guess(open_page, bank, answering, home, now):
    telemetry.requests(home, [Request()] * 40, at=now - timedelta(minutes=5))
    with answering():
        page = open_page("app_insights", deployment="bank")

    (p99,) = (metric for metric in page.metric if metric.label == "p99")
    assert "A guess: it takes 299 requests" in p99.help
    assert any("Dotted: too few requests to tell" in text for text in texts(page))


def test_a_link_reopens_the_deployment_the_window_and_the_bin(
    open_page, bank, seven_failed, answering
):
    with answering():
        page = open_page("app_insights", deployment="bank", window="6h", bin="15 min")

    assert page.selectbox(key="deployment").value == "bank"
    assert page.selectbox(key="bin").value == "15 min"
    (spec, *_) = (json.loads(chart.spec) for chart in charts(page))
    assert spec["data"][0]["dx"] == 15 * 60 * 1000


def test_a_deployment_that_was_deleted_can_still_be_looked_at(open_page, seven_failed, answering):
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert metrics(page)["Requests"] == "100"


def test_every_chart_shows_the_query_that_drew_it(
    open_page, bank, seven_failed, answering, local_workspace
):
    with answering():
        page = open_page("app_insights", deployment="bank")
        assert not page.code  # nothing of it is sent before it is opened
        for chart in ("latency", "failures", "volume", "availability", "details"):
            page.session_state[f"kql-{chart}"] = True
        page.run()
        shown = [code.value for code in page.code]

        assert len(shown) == 5  # four charts and a table
        frames = [local_workspace.telemetry.query(kql).frame for kql in shown]

    latency = next(frame for frame in frames if "p95_ms" in frame and "t" in frame)
    assert latency["requests"].sum() == 100


# --- the rows behind them ---


@pytest.mark.parametrize(
    ("details", "column", "value"),
    [
        ("Result codes", "Meaning", "Internal Server Error"),
        ("Deployments", "Deployment", "bank"),
        ("Slowest requests", "Duration", 102.0),
        ("Exceptions", "Type", "ValueError"),
        ("Traces", "Text", "loading the model"),
        ("Inputs and outputs", "Input", '{"data": [{"age": 38}]}'),
    ],
)
def test_each_table_shows_its_rows(
    open_page, bank, seven_failed, answering, home, now, details, column, value
):
    described = {"Service Name": "bank", "Request Id": "r0"}
    printed = json.dumps({"input": {"data": [{"age": 38}]}, "output": ["no"]})
    telemetry.items(
        home,
        [
            wire.trace_envelope(at=now, message="loading the model", properties=described),
            wire.trace_envelope(at=now, message=printed, properties=described),
            wire.exception_envelope(at=now, error=ValueError("boom"), properties=described),
        ],
    )
    with answering():
        page = open_page("app_insights", deployment="bank", details=details)

    assert not page.exception
    assert value in page.dataframe[0].value[column].tolist()


def test_a_70_kb_payload_is_flagged_truncated(open_page, bank, answering, home, now):
    printed = json.dumps({"input": "x" * 70_000, "output": ["no"]})
    telemetry.requests(home, [Request()])
    telemetry.items(
        home,
        [wire.trace_envelope(at=now, message=printed, properties={"Service Name": "bank"})],
    )
    with answering():
        page = open_page("app_insights", deployment="bank", details="Inputs and outputs")

    assert page.dataframe[0].value["Whole"].tolist() == ["truncated"]
    assert any("1 payload arrived truncated" in warning for warning in warnings(page))


def test_the_query_box_answers_with_a_table(open_page, bank, seven_failed, answering):
    with answering():
        page = open_page("app_insights", details="Query")
        page.text_area(key="insights.kql").set_value("requests | summarize n = count()")
        page.button(key="insights.run").click()
        page.run()

    assert page.dataframe[0].value["n"].tolist() == [100]


def test_a_wrong_query_is_a_sentence(open_page, bank, seven_failed, answering):
    with answering():
        page = open_page("app_insights", details="Query")
        page.text_area(key="insights.kql").set_value("requests | where durationMs > 3")
        page.button(key="insights.run").click()
        page.run()

    assert not page.exception
    assert "no column “durationMs”" in page.error[0].value
    assert metrics(page)["Requests"] == "100"  # the rest of the page goes on


# --- honest states ---


def test_nothing_deployed_says_what_to_do_next(open_page, answering):
    with answering():
        page = open_page("app_insights")

    assert not page.exception
    assert any("Nothing is deployed yet" in text for text in texts(page))
    assert not page.metric


def test_telemetry_that_is_off_says_where_to_turn_it_on(
    open_page, local_workspace, home, answering
):
    deployments.deployment(home, local_workspace.store, "bank", telemetry=False)
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert any("Application Insights is off on “bank”" in text for text in texts(page))


def test_no_traffic_is_no_requests_and_not_zero_percent(open_page, bank, answering):
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert any("No requests in the last 24" in text for text in texts(page))
    assert not any("0 %" in text or "0.0 %" in text for text in texts(page))
    assert charts(page) == []


@pytest.mark.parametrize(
    ("record", "ago", "words"),
    [
        (load_tests.running, timedelta(0), "have not arrived yet"),
        (
            load_tests.finished,
            timedelta(hours=1),
            "none of them reached this workspace's telemetry server",
        ),
    ],
)
def test_requests_that_were_sent_and_are_not_there_are_no_lack_of_traffic(
    open_page, local_workspace, bank, answering, now, record, ago, words
):
    record(local_workspace.store, at=now - ago)
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert not page.exception
    assert any(words in text for text in texts(page))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AccessDeniedError("Your role does not allow it."), "Ask for the role Monitoring Reader"),
        (NotFoundError("Application Insights resource", "appi"), "Give the workspace one that"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    open_page, local_workspace, bank, answering, monkeypatch, error, words
):
    def refused(*_):
        raise error

    monkeypatch.setattr(local_workspace.telemetry, "panel", refused)
    page = open_page("app_insights", deployment="bank")

    assert not page.exception
    assert any(words in text for text in texts(page))
    assert not any("No requests" in text for text in texts(page))


def test_when_the_last_request_came_is_told(open_page, bank, answering, home, now):
    telemetry.requests(home, [Request()], at=now - timedelta(days=3))
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert any("The last one came 3 d" in text for text in texts(page))


def test_an_idle_deployment_still_shows_that_it_is_up(open_page, bank, answering, home, now):
    telemetry.items(home, [telemetry._probe("bank", now - timedelta(minutes=1), ok=True)])
    with answering():
        page = open_page("app_insights", deployment="bank")

    assert "100.00 % of 1 availability tests." in texts(page)


def test_a_server_that_is_down_is_a_sentence_not_an_empty_page(
    open_page, bank, seven_failed, answering
):
    with answering():
        pass

    page = open_page("app_insights", deployment="bank")

    assert not page.exception
    assert any("telemetry server is not running" in warning for warning in warnings(page))
    assert not any("No requests" in text for text in texts(page))


def test_the_last_good_copy_is_shown_with_its_age_during_an_outage(
    open_page, bank, seven_failed, answering
):
    with answering():
        open_page("app_insights", deployment="bank")

    page = open_page("app_insights", deployment="bank")

    assert metrics(page)["Requests"] == "100"
    assert len(charts(page)) == 4
    assert any("Last good copy" in text for text in texts(page))
    readings.forget()


def test_one_deployments_copy_never_stands_in_for_anothers(
    open_page, local_workspace, home, bank, seven_failed, answering
):
    deployments.deployment(
        home, local_workspace.store, "bank-next", telemetry=True, state=DeploymentState.HEALTHY
    )
    with answering():
        open_page("app_insights", deployment="bank")

    page = open_page("app_insights", deployment="bank-next")

    assert not page.metric
    assert any("telemetry server is not running" in warning for warning in warnings(page))


def test_a_deployment_whose_name_is_markup_is_shown_as_it_stands(open_page, answering):
    with answering():
        page = open_page("app_insights", deployment="<b>*x*</b>")

    assert not page.exception
    assert any("\\<b\\>\\*x\\*" in text for text in texts(page))
