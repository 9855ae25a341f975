"""Telemetry of an Azure ML workspace: which resource is asked, how, and what trouble becomes."""

import contextlib
import re
import secrets
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.app_insights import absence, wire
from services.app_insights.absence import Absence, Evidence
from services.app_insights.client import QueryClient
from services.app_insights.sender import Sender
from services.azure.connection import Connection
from services.azure.deadlines import Deadlines
from services.azure.telemetry import AzureTelemetry
from services.domain import Deployment, DeploymentState, Panel, TimeWindow
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from tests.azure_double.faults import Fault
from tests.azure_double.hand import double
from tests.azure_double.opened import open_azure
from tests.azure_double.state import COMPONENT, CUSTOMER, LOG_ANALYTICS

CLASSIC = "POST api.applicationinsights.io"
COMPONENT_GET = "GET management.azure.com.*microsoft.insights/components"
AS_AZURE = {
    "ingestion_mode": "ApplicationInsights",
    "log_analytics": LOG_ANALYTICS,
    "app_id": None,
    "sampling_pct": None,
    "insights_role": True,
    "insights_partial": None,
    "insights_strangers": [],
}


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(autouse=True)
def _well_again(azure):
    yield
    azure.misbehave()
    azure.turn(**AS_AZURE)
    assert azure.unknown() == []


@pytest.fixture(scope="module")
def connection(azure):
    """Signed in, with the SDK's workspace open: seconds that need not be spent for each test."""
    connection = open_azure(azure).connection
    connection.call("workspace", lambda workspace: workspace.name)
    return connection


@pytest.fixture
def opened(azure, connection):
    """``opened(ingestion_mode="LogAnalytics")``: a port that has not asked anything yet."""

    ports = []

    def opened(*, limit_s=15.0, **knobs):
        azure.turn(**knobs)
        again = Connection(connection.config, connection.journal, deadlines=Deadlines(limit_s))
        again.tokens, again._opening = connection.tokens, connection._opening
        azure.asked()
        ports.append(AzureTelemetry(again))
        return ports[-1]

    yield opened
    for port in ports:
        port._queries._pool.shutdown()  # what still waits would meet the next test's trouble


@pytest.fixture(scope="module")
def now():
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def window(now):
    return TimeWindow(
        start=now - timedelta(hours=1),
        end=now + timedelta(minutes=1),
        bin=timedelta(minutes=5),
    )


@pytest.fixture(scope="module")
def seeded(azure, now, tmp_path_factory):
    """Ten requests to one deployment, three to another, stored by the server behind the double."""
    engine = azure.engine.telemetry
    ours, theirs = (f"telemetry-{secrets.token_hex(4)}" for _ in range(2))
    until(lambda: engine.connection_string)
    for name, count in ((ours, 10), (theirs, 3)):
        sender = Sender(
            lambda: engine.connection_string, spool=tmp_path_factory.mktemp("spool"), role=name
        )
        for number in range(count):
            sender.track(
                wire.request_envelope(
                    at=now - timedelta(seconds=number),
                    request_id=f"{name}-{number}",
                    name="POST /score",
                    url="http://127.0.0.1/score",
                    duration_ms=10.0,
                    result_code="500" if number == 0 else "200",
                    properties={"Service Name": name},
                )
            )
        until(lambda: not sender.waiting_count)  # noqa: B023
        sender.close()
    return ours, theirs


def until(condition, *, limit_s=60.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s"
        time.sleep(0.05)


def asked_of(azure, pattern):
    return [each for each in azure.asked() if re.search(pattern, each)]


# --- which resource ---


def test_a_classic_resource_is_asked_by_its_app_id(azure, opened, seeded, window):
    telemetry = opened()

    (row,) = telemetry.panel(Panel.SUMMARY, window, seeded[0]).frame.to_dict("records")

    assert (row["requests"], row["failed"]) == (10, 1)
    assert "let R = requests" in telemetry.kql(Panel.SUMMARY, window)
    app_id = azure.engine.store.setting("telemetry_application_id")
    assert asked_of(azure, "/v1/") == [
        f"POST api.applicationinsights.io/v1/apps/{app_id}/query -> 200"
    ]


def test_a_workspace_based_resource_is_asked_at_its_log_analytics_workspace(
    azure, opened, seeded, window
):
    telemetry = opened(ingestion_mode="LogAnalytics")

    (row,) = telemetry.panel(Panel.SUMMARY, window, seeded[0]).frame.to_dict("records")

    assert (row["requests"], row["failed"]) == (10, 1)
    assert "let R = AppRequests" in telemetry.kql(Panel.SUMMARY, window)
    assert asked_of(azure, "/v1/") == [
        f"POST api.loganalytics.io/v1/workspaces/{CUSTOMER}/query -> 200"
    ]


@pytest.mark.parametrize("panel", list(Panel))
def test_both_kinds_answer_every_panel_alike(opened, seeded, window, panel):
    classic = opened().panel(panel, window, seeded[0]).frame
    based = opened(ingestion_mode="LogAnalytics").panel(panel, window, seeded[0]).frame

    assert list(based.columns) == list(classic.columns)
    assert len(based) == len(classic)
    assert sorted(based.dtypes.astype(str)) == sorted(classic.dtypes.astype(str))


def test_rows_of_another_component_in_the_same_log_analytics_workspace_do_not_count(
    opened, seeded, window
):
    ours, theirs = seeded
    telemetry = opened(ingestion_mode="LogAnalytics", insights_strangers=[theirs])

    frame = telemetry.panel(Panel.DEPLOYMENTS, window).frame

    assert ours in set(frame["service"])
    assert theirs not in set(frame["service"])
    assert f'_ResourceId =~ "{COMPONENT}"' in telemetry.kql(Panel.DEPLOYMENTS, window)


def test_classic_names_are_refused_where_only_the_new_tables_are(opened):
    telemetry = opened(ingestion_mode="LogAnalytics")

    with pytest.raises(InvalidRequestError, match="Failed to resolve table 'requests'"):
        telemetry.query("requests\n| take 1")


@pytest.mark.parametrize("status", [403, 404])
def test_a_log_analytics_workspace_out_of_reach_is_asked_through_its_component(
    azure, opened, seeded, window, status
):
    azure.misbehave(Fault(pattern="OperationalInsights", status=status))
    telemetry = opened(ingestion_mode="LogAnalytics")

    (row,) = telemetry.panel(Panel.SUMMARY, window, seeded[0]).frame.to_dict("records")

    assert row["requests"] == 10
    assert asked_of(azure, "loganalytics.io") == []


def test_the_resource_is_looked_up_once_for_the_life_of_the_connection(azure, opened):
    telemetry = opened()

    for number in range(3):
        telemetry.query(f"print x = {number}")
        assert telemetry.resource == "appi-loopback (Application Insights)"
        assert telemetry.connection_string

    assert len(asked_of(azure, COMPONENT_GET)) == 1


def test_a_failed_look_up_is_not_remembered(azure, opened):
    azure.misbehave(Fault(pattern=COMPONENT_GET, status=503))
    telemetry = opened()
    with pytest.raises(UnavailableError):
        telemetry.query("print x = 1")

    azure.misbehave()

    assert telemetry.query("print x = 1").frame["x"].tolist() == [1]


def test_a_workspace_without_a_resource_says_so(azure):
    azure.misbehave(
        Fault(pattern="MachineLearningServices/workspaces/", remove="applicationInsights")
    )
    telemetry = open_azure(azure).telemetry

    with pytest.raises(InvalidRequestError, match="names no Application Insights resource"):
        telemetry.query("print x = 1")


def test_an_app_id_nobody_knows_is_not_found(opened):
    telemetry = opened(app_id="00000000-0000-0000-0000-000000000000")

    with pytest.raises(NotFoundError, match="Application Insights resource"):
        telemetry.query("print x = 1")


def test_the_share_that_is_kept_is_the_resources_own(opened):
    assert opened().sampled_pct == 100.0
    assert opened(sampling_pct=25.0).sampled_pct == 25.0


def test_what_is_sent_to_the_connection_string_arrives(opened, tmp_path, window, now):
    """Through the proxy, over TLS: to the host Azure names."""
    telemetry = opened()
    name = f"sent-{secrets.token_hex(4)}"
    sender = Sender(telemetry.connection_string, spool=tmp_path, role=name)
    sender.track(
        wire.request_envelope(
            at=now, request_id=name, name="/score", url="", duration_ms=1.0, result_code="200"
        )
    )
    until(lambda: not sender.waiting_count)
    sender.close()

    assert telemetry.panel(Panel.SUMMARY, window, name).frame["requests"].tolist() == [1]


# --- how much at once, how often ---


def test_at_most_four_queries_are_asked_at_a_time(opened, monkeypatch):
    telemetry = opened()
    telemetry.query("print x = 0")
    at_work, most, lock = 0, 0, threading.Lock()
    really = QueryClient._post

    def counting(*arguments):
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.1)
        try:
            return really(*arguments)
        finally:
            with lock:
                at_work -= 1

    monkeypatch.setattr(QueryClient, "_post", counting)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: telemetry.query(f"print x = {n}"), range(12)))

    assert [answer.frame["x"].tolist() for answer in answers] == [[n] for n in range(12)]
    assert most == 4


def test_waiting_for_a_turn_counts_against_the_deadline(azure, opened):
    telemetry = opened(limit_s=2.0)
    telemetry.query("print x = 0")
    azure.misbehave(Fault(pattern=CLASSIC, delay_s=20))

    with ThreadPoolExecutor(6) as pool:
        failures = list(pool.map(lambda n: failure(telemetry, n), range(6)))

    assert all(isinstance(each, UnavailableError) for each in failures)


def failure(telemetry, number=1):
    try:
        telemetry.query(f"print x = {number}")
    except ServiceError as error:
        return error
    return None


def test_a_throttled_query_waits_as_long_as_it_is_told(azure, opened):
    telemetry = opened()
    azure.misbehave(Fault(pattern=CLASSIC, status=429, retry_after_s=1, times=1))

    began = time.monotonic()
    assert telemetry.query("print x = 1").frame["x"].tolist() == [1]

    assert time.monotonic() - began >= 1.0


def test_nobody_is_asked_again_before_the_time_it_named(azure, opened):
    telemetry = opened(limit_s=3.0)
    azure.misbehave(Fault(pattern=CLASSIC, status=429, retry_after_s=60, times=1))

    for _ in range(3):
        with pytest.raises(UnavailableError, match=r"asks to wait (60|59|58) s"):
            telemetry.query("print x = 1")

    assert len(asked_of(azure, CLASSIC)) == 1


def test_part_of_an_answer_says_why_it_is_not_all(opened, seeded, window):
    telemetry = opened(insights_partial="The query exceeded its memory.")

    result = telemetry.panel(Panel.DEPLOYMENTS, window)

    assert result.partial == "The query exceeded its memory."
    assert seeded[0] in set(result.frame["service"])


# --- trouble ---

TROUBLE = {
    "401": (Fault(pattern="", status=401), AccessDeniedError, "did not accept the sign-in"),
    "403": (Fault(pattern="", status=403), AccessDeniedError, "role does not allow"),
    "404": (Fault(pattern="", status=404), NotFoundError, "No Application Insights resource"),
    "429": (
        Fault(pattern="", status=429, retry_after_s=60),
        UnavailableError,
        "asks to wait 60 s|throttling",
    ),
    "500": (Fault(pattern="", status=500), UnavailableError, "HTTP 500"),
    "503": (Fault(pattern="", status=503), UnavailableError, "HTTP 503"),
    "timeout": (Fault(pattern="", delay_s=20), UnavailableError, "did not answer within"),
    "garbage": (
        Fault(pattern="", body="<html>"),
        UnavailableError,
        "not Application Insights|could not be understood",
    ),
    "missing key": (
        Fault(pattern="", remove="tables"),
        UnavailableError,
        "not Application Insights",
    ),
    "rows without columns": (
        Fault(pattern="", remove="columns"),
        UnavailableError,
        "not Application Insights",
    ),
    "component without an app id": (
        Fault(pattern="", remove="AppId"),
        UnavailableError,
        "could not be understood",
    ),
    "dropped": (Fault(pattern="", drop=True), UnavailableError, "be reached"),
}
OF_QUERIES = [each for each in TROUBLE if not each.startswith("component")]
OF_LOOKING_UP = [each for each in TROUBLE if each not in ("missing key", "rows without columns")]


@pytest.mark.parametrize("trouble", OF_QUERIES)
def test_trouble_with_a_query_is_a_sentence(azure, opened, trouble, record_property):
    telemetry = opened(limit_s=2.5)
    telemetry.query("print x = 0")

    _meets(azure, telemetry, trouble, CLASSIC, record_property)


@pytest.mark.parametrize("trouble", OF_LOOKING_UP)
def test_trouble_with_looking_up_the_resource_is_a_sentence(
    azure, opened, trouble, record_property
):
    telemetry = opened(limit_s=2.5)

    _meets(azure, telemetry, trouble, COMPONENT_GET, record_property)


def _meets(azure, telemetry, trouble, pattern, record_property):
    fault, kind, sentence = TROUBLE[trouble]
    fault.pattern = pattern
    azure.misbehave(fault)

    began = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        telemetry.query("print x = 1")
    elapsed_s = time.monotonic() - began

    error = caught.value
    record_property("seen", f"{trouble}: {error} ({elapsed_s:.1f} s)")
    assert isinstance(error, kind)
    assert re.search(sentence, str(error))
    told = "".join(traceback.format_exception(error))
    for audience in ("https://api.applicationinsights.io", "https://management.azure.com"):
        with contextlib.suppress(ServiceError):
            assert telemetry._connection.tokens.get(audience) not in told


# --- why a chart is empty ---


def reason(telemetry, now, window, name, *, sent_ago=None, enabled=True):
    """What the page concludes for a deployment, from this port."""
    deployment = Deployment(
        name=name,
        model_id="bank:1",
        state=DeploymentState.HEALTHY,
        scoring_uri=None,
        swagger_uri=None,
        auth_enabled=True,
        telemetry_enabled=enabled,
        created_at=now,
        updated_at=now,
    )
    known = {"now": now, "deployments": [deployment], "deployment": name}
    try:
        arrivals = absence.arrivals(telemetry.panel(Panel.ARRIVALS, window).frame)
    except ServiceError as error:
        return absence.why(Evidence(**known, error=error)).reason
    return absence.why(
        Evidence(
            **known,
            arrivals=arrivals,
            sent_at=None if sent_ago is None else now - sent_ago,
            arrival_delay=telemetry.arrival_delay,
            sampled_pct=telemetry.sampled_pct,
        )
    ).reason


A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("mode", ["ApplicationInsights", "LogAnalytics"])
@pytest.mark.parametrize(
    ("knobs", "facts", "told"),
    [
        ({}, {"enabled": False}, Absence.TELEMETRY_OFF),
        ({}, {}, Absence.NO_TRAFFIC),
        ({"insights_role": False}, {}, Absence.NO_PERMISSION),
        ({}, {"sent_ago": A_MINUTE}, Absence.NOT_ARRIVED_YET),
        ({}, {"sent_ago": AN_HOUR}, Absence.WRONG_RESOURCE),
        ({"sampling_pct": 10.0}, {"sent_ago": AN_HOUR}, Absence.SAMPLED),
    ],
)
def test_each_reason_for_an_empty_chart(opened, seeded, now, window, mode, knobs, facts, told):
    telemetry = opened(ingestion_mode=mode, **knobs)

    assert reason(telemetry, now, window, "idle", **facts) is told


def test_a_resource_that_is_gone_is_the_wrong_one(azure, opened, now, window):
    azure.misbehave(Fault(pattern=COMPONENT_GET, status=404))

    assert reason(opened(), now, window, "idle") is Absence.WRONG_RESOURCE


def test_a_role_that_may_not_read_is_told_apart(opened):
    telemetry = opened(insights_role=False)

    with pytest.raises(AccessDeniedError, match="may take an hour to count"):
        telemetry.query("print x = 1")


def test_nothing_of_it_shows_a_key(opened):
    telemetry = opened()
    key = re.search("InstrumentationKey=([^;]+)", telemetry.connection_string)[1]

    assert key not in telemetry.resource
    assert key not in repr(telemetry._found())
