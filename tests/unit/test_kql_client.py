"""Asking Application Insights: what each answer of the service becomes."""

import json
import socket
from datetime import UTC, datetime

import pandas as pd
import pytest

from services.app_insights.client import QueryClient, Table, frame
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from tests.unit.http_service import scripted

GOOD = {
    "tables": [{"name": "PrimaryResult", "columns": [{"name": "n", "type": "long"}], "rows": [[3]]}]
}


@pytest.fixture
def service():
    with scripted() as service:
        yield service


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(service, pauses):
    return QueryClient(service.address, "the-app", token=lambda: "the-token", asleep=pauses.append)


def test_a_query_goes_where_the_api_expects_it(client, service):
    service.answers.extend([(200, GOOD, {})])

    table = client.query("requests | count", timeout_s=20)

    ((path, headers, body),) = service.asked
    assert path == "/v1/apps/the-app/query"
    assert json.loads(body) == {"query": "requests | count"}
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["Prefer"] == "wait=20"
    assert table == Table((("n", "long"),), [[3]])


def test_a_busy_service_is_asked_again_when_it_says(client, service, pauses):
    service.answers.extend([(429, {}, {"Retry-After": "3"}), (200, GOOD, {})])

    assert client.query("x").rows == [[3]]
    assert pauses == [3.0]


def test_a_service_that_stumbles_is_given_longer_each_time(client, service, pauses):
    service.answers.extend([(503, {}, {}), (502, {}, {}), (200, GOOD, {})])

    assert client.query("x").rows == [[3]]
    assert len(pauses) == 2
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


def test_a_service_that_stays_out_of_order_is_given_up(client, service, pauses):
    service.answers.extend([(500, {}, {})])

    with pytest.raises(UnavailableError, match="HTTP 500"):
        client.query("x", timeout_s=60)

    assert len(service.asked) == 4
    assert sum(pauses) <= 3.5


def test_nobody_waits_longer_than_they_said(client, service, pauses):
    service.answers.extend([(429, {}, {"Retry-After": "60"})])

    with pytest.raises(UnavailableError, match="asks to wait 60 s"):
        client.query("x", timeout_s=5)

    assert pauses == []


def test_part_of_an_answer_is_kept_and_said_to_be_part(client, service):
    details = [{"code": "EngineError", "message": "The answer holds the first rows only."}]
    error = {"code": "PartialError", "message": "There were some errors", "details": details}
    service.answers.extend([(200, {**GOOD, "error": error}, {})])

    table = client.query("x")

    assert table.rows == [[3]]
    assert table.partial == "The answer holds the first rows only."


def test_a_workspace_without_data_is_empty_and_says_why(client, service):
    service.answers.extend([(204, b"", {})])

    table = client.query("x")

    assert table.rows == []
    assert "no data yet" in table.partial


def test_a_wrong_query_is_told_in_the_services_innermost_words(client, service):
    innermost = {"code": "SEM0100", "message": "Failed to resolve column 'durationMs'"}
    error = {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "innererror": {"message": "A semantic error occurred.", "innererror": innermost},
    }
    service.answers.extend([(400, {"error": error}, {})])

    with pytest.raises(InvalidRequestError, match="^Failed to resolve column 'durationMs'$"):
        client.query("x")


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (401, AccessDeniedError, "did not accept the sign-in"),
        (403, AccessDeniedError, "may take an hour"),
        (404, NotFoundError, "the-app"),
        (504, UnavailableError, "took longer than 30 s"),
        (302, UnavailableError, "HTTP 302"),
    ],
)
def test_every_refusal_is_a_sentence_about_the_next_move(client, service, status, kind, sentence):
    service.answers.extend([(status, {"error": {"message": "no"}}, {})])

    with pytest.raises(kind, match=sentence):
        client.query("x")


@pytest.mark.parametrize("answer", [b"<html>proxy</html>", {"tables": []}, [1, 2]])
def test_something_else_that_answers_is_not_mistaken_for_telemetry(client, service, answer):
    service.answers.extend([(200, answer, {})])

    with pytest.raises(UnavailableError, match="not Application Insights"):
        client.query("x")


def test_nobody_at_the_address_is_an_outage_at_once():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = QueryClient(f"http://127.0.0.1:{unused.getsockname()[1]}", "a", token=str)

        with pytest.raises(UnavailableError, match="cannot be reached"):
            client.query("x", timeout_s=5)


def test_a_service_that_never_answers_is_left_after_the_time_given():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = QueryClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "a", token=str)

        with pytest.raises(UnavailableError, match="did not answer"):
            client.query("x", timeout_s=0.3)


def test_a_proxy_for_the_internet_is_not_asked_about_this_machine(client, service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    service.answers.extend([(200, GOOD, {})])

    assert client.query("x").rows == [[3]]


# --- values ---


def test_values_are_read_by_their_declared_type_whatever_json_made_of_them():
    table = Table(
        (
            ("t", "datetime"),
            ("whole", "long"),
            ("some", "int"),
            ("real", "real"),
            ("ok", "bool"),
            ("span", "timespan"),
            ("text", "string"),
            ("dims", "dynamic"),
        ),
        [
            ["2026-11-22T09:30:00.1234567Z", "255", 1, "1.5", True, "00:00:01.5", "a", '{"b":1}'],
            ["2026-11-22T09:30:00Z", 3, None, None, None, None, None, {"b": 1}],
        ],
    )

    read = frame(table)

    assert read["t"][0] == pd.Timestamp(datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC))
    assert read["whole"].tolist() == [255, 3]
    assert read["whole"].dtype == "int64"
    assert read["real"][0] == 1.5
    assert read["span"][0] == 1500.0
    assert read["dims"].tolist() == ['{"b":1}', '{"b": 1}']
    assert read.iloc[1][["some", "real", "ok", "span", "text"]].isna().all()


def test_an_answer_without_rows_keeps_its_columns():
    read = frame(Table((("t", "datetime"), ("n", "long")), []))

    assert list(read.columns) == ["t", "n"]
    assert len(read) == 0
    assert str(read["t"].dtype) == "datetime64[us, UTC]"
