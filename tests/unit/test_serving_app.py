"""The scoring application on its own: routes, ids, headers and refusals."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.local.serving.app import ScoringApp
from services.local.serving.engine import INLINE_LIMIT_BYTES, Description, Engine
from services.local.serving.keyring import KeyRing
from services.local.serving.reporter import Reporter
from services.local.serving.scorers import Scored, Scorer
from services.local.serving.server_log import RequestLog

KEY = b"the-key"


class Echo(Scorer):
    """Answers what the test says, and remembers on which thread it was asked."""

    inline = True

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.scored = Scored(200, b'"{}"', run_ms=1.25)

    def score(self, body: bytes) -> Scored:
        self.bodies.append(body)
        if isinstance(self.scored, Exception):
            raise self.scored
        return self.scored


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        return json.loads(self.body)["message"]


@dataclass
class Server:
    app: ScoringApp
    scorer: Echo
    refreshed: list[int] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        *chunks: bytes,
        query: bytes = b"",
        gone: bool = False,
        **given: str,
    ) -> Answered | None:
        headers = {"content-type": "application/json", "authorization": "Bearer the-key"}
        headers |= {name.replace("_", "-"): value for name, value in given.items()}
        scope = {
            "type": "http", "method": method, "path": path, "scheme": "http", "query_string": query,
            "headers": [(k.encode(), v.encode()) for k, v in headers.items() if v],
        }  # fmt: skip
        parts = list(chunks or (b"",))
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not parts or gone:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        if not sent:
            return None
        start, body = sent
        answered = {k.decode(): v.decode() for k, v in start["headers"]}
        return Answered(start["status"], answered, body["body"])


@pytest.fixture
def server(tmp_path: Path) -> Server:
    scorer = Echo()
    refreshed: list[int] = []
    app = ScoringApp(
        RequestLog(tmp_path / "server.log"),
        refresh_keys=lambda: refreshed.append(1),
        body_limit_bytes=200_000,
    )
    documents = {version: {"version": version} for version in ("2", "2.0", "3", "3.0")}
    app.engine = Engine(lambda: scorer, Description(model_id="m:1", core={}, swagger=documents))
    app.keys = KeyRing(required=True, primary=KEY, secondary=b"other")
    return Server(app, scorer, refreshed)


def test_it_is_healthy_without_a_key(server):
    answer = server.ask("GET", "/", authorization="")

    assert (answer.status, answer.body) == (200, b"Healthy")
    assert answer.headers["content-type"].startswith("text/html")
    assert "x-ms-run-function-failed" not in answer.headers


def test_before_its_model_is_loaded_it_says_so(server):
    server.app.engine = None

    assert server.ask("GET", "/").status == 503
    assert server.ask("GET", "/swagger.json").status == 503
    answer = server.ask("POST", "/score", b"{}")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_a_score_says_how_long_it_ran_and_that_it_did_not_fail(server):
    answer = server.ask("POST", "/score", b'{"data": []}')

    assert (answer.status, answer.body) == (200, b'"{}"')
    assert answer.headers["x-ms-run-fn-exec-ms"] == "1.250"
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert answer.headers["content-type"] == "application/json"
    assert server.scorer.bodies == [b'{"data": []}']


def test_a_body_may_come_in_pieces(server):
    server.ask("POST", "/score", b'{"da', b'ta"', b": []}")

    assert server.scorer.bodies == [b'{"data": []}']


@pytest.mark.parametrize("body", [b"x" * (INLINE_LIMIT_BYTES + 1), b"small"])
def test_large_and_small_bodies_are_both_scored(server, body):
    assert server.ask("POST", "/score", body).status == 200
    assert server.scorer.bodies == [body]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/score", 405), ("PUT", "/score", 405), ("OPTIONS", "/score", 200),
        ("POST", "/", 405), ("POST", "/swagger.json", 405), ("GET", "/nothing", 404),
        ("POST", "/score/", 404), ("HEAD", "/", 200),
    ],
)  # fmt: skip
def test_other_methods_and_paths_are_refused(server, method, path, status):
    assert server.ask(method, path).status == status


def test_the_answer_to_head_has_no_body(server):
    answer = server.ask("HEAD", "/")

    assert (answer.body, answer.headers["content-length"]) == (b"", "7")


@pytest.mark.parametrize(
    ("header", "why"), [("", "missing"), ("Bearer nobody", "not one of"), ("the-key", "not one of")]
)
def test_without_a_key_nothing_is_scored_or_even_read(server, header, why):
    answer = server.ask("POST", "/score", b"{}", authorization=header)

    assert answer.status == 401
    assert why in answer.message
    assert answer.headers["www-authenticate"] == "Bearer"
    assert server.scorer.bodies == []


def test_an_unknown_key_is_looked_up_once_more_before_it_is_refused(server):
    def issue() -> None:
        ends = {sha256(b"fresh").hexdigest(): datetime.now(UTC) + timedelta(minutes=1)}
        server.app.keys = KeyRing(required=True, primary=KEY, secondary=b"o", temporary=ends)

    server.app._refresh_keys = issue

    assert server.ask("POST", "/score", b"{}", authorization="Bearer fresh").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_only_json_is_read(server, kind):
    answer = server.ask("POST", "/score", b"{}", content_type=kind)

    assert (answer.status, answer.message) == (415, "Expects Content-Type to be application/json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_every_kind_of_json_is(server, kind):
    assert server.ask("POST", "/score", b"{}", content_type=kind).status == 200


@pytest.mark.parametrize(
    ("chunks", "length"),
    [((b"x",), "200001"), ((b"x" * 150_000, b"x" * 150_000), ""), ((b"x" * 200_001,), "")],
    ids=["announced", "in pieces", "at once"],
)
def test_a_body_over_the_limit_is_refused(server, chunks, length):
    answer = server.ask("POST", "/score", *chunks, content_length=length)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert server.scorer.bodies == []


def test_a_caller_that_left_gets_no_answer(server):
    assert server.ask("POST", "/score", b"{}", gone=True) is None


def test_an_error_of_our_own_is_a_500_and_the_next_request_is_served(server):
    fine, server.scorer.scored = server.scorer.scored, RuntimeError("a bug")

    broken = server.ask("POST", "/score", b"{}")
    server.scorer.scored = fine

    assert broken.status == 500
    assert "bug" not in broken.message
    assert server.ask("POST", "/score", b"{}").status == 200


def test_a_failed_run_is_said_to_have_failed(server):
    server.scorer.scored = Scored(500, b'{"message": "x"}', 2.0, ValueError("boom"))

    answer = server.ask("POST", "/score", b"{}")

    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert answer.headers["x-ms-run-fn-exec-ms"] == "2.000"


# --- ids ---


def test_every_request_gets_an_id(server):
    first, second = (server.ask("GET", "/").headers["x-request-id"] for _ in range(2))

    assert len(first) == 36
    assert first != second


def test_the_callers_ids_are_echoed(server):
    headers = server.ask("GET", "/", x_request_id="mine", x_ms_client_request_id="client").headers

    assert headers["x-request-id"] == "mine"
    assert headers["x-ms-client-request-id"] == "client"
    assert headers["x-ms-request-id"] == "client"


def test_the_older_id_stands_in_for_the_clients(server):
    headers = server.ask("GET", "/", x_ms_request_id="old", traceid="t").headers

    assert headers["x-ms-request-id"] == headers["x-ms-client-request-id"] == "old"
    assert headers["traceid"] == "t"


@pytest.mark.parametrize("name", ["x_request_id", "x_ms_request_id", "x_ms_client_request_id"])
def test_an_id_that_is_too_long_is_refused(server, name):
    answer = server.ask("GET", "/", **{name: "x" * 101})

    assert answer.status == 431
    assert "must not exceed 100 characters" in answer.message


# --- what it says about itself ---


@pytest.mark.parametrize(
    ("query", "version"), [(b"", "2"), (b"version=3", "3"), (b"version=2.0", "2.0")]
)
def test_it_describes_itself_in_the_version_asked_for(server, query, version):
    answer = server.ask("GET", "/swagger.json", query=query, authorization="")

    assert json.loads(answer.body) == {"version": version}


def test_an_unknown_version_is_not_found(server):
    assert "3.0" in server.ask("GET", "/swagger.json", query=b"version=9").message


def test_a_script_without_a_schema_has_no_description(server):
    description = Description(model_id="m:1", core={}, swagger={})
    server.app.engine = Engine(lambda: server.scorer, description)

    answer = server.ask("GET", "/swagger.json")

    assert answer.status == 404
    assert "Swagger not found" in answer.message


# --- what is written down ---


class Kept:
    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def track(self, envelope: dict[str, Any]) -> None:
        self.items.append(envelope["data"])


@pytest.fixture
def kept(server) -> Kept:
    kept = Kept()
    server.app.reporter = Reporter(kept, service="bank", workspace="local")
    return kept


def test_every_scoring_request_is_reported_once_as_it_went(server, kept):
    server.ask("POST", "/score", b'{"data": [1]}', x_request_id="abc")
    server.ask("GET", "/")
    server.ask("GET", "/swagger.json")

    request, trace = kept.items
    assert request["baseType"] == "RequestData"
    fields = request["baseData"]
    assert (fields["id"], fields["responseCode"], fields["success"]) == ("abc", "200", True)
    assert fields["name"] == "POST /score"
    assert fields["properties"]["Service Name"] == "bank"
    assert fields["properties"]["Response Value"] == '"{}"'
    assert trace["baseType"] == "MessageData"
    assert json.loads(trace["baseData"]["message"]) == {"input": {"data": [1]}, "output": {}}


def test_a_failure_is_reported_with_its_exception(server, kept):
    server.scorer.scored = Scored(500, b'{"message": "x"}', 2.0, ValueError("boom"))

    server.ask("POST", "/score", b"{}")

    request, exception = kept.items
    assert request["baseData"]["success"] is False
    assert exception["baseData"]["exceptions"][0]["message"] == "boom"


def test_a_payload_over_the_limit_is_reported_as_cut(server, kept):
    server.ask("POST", "/score", b'{"data": "' + b"x" * 80_000 + b'"}')

    trace = kept.items[1]["baseData"]
    assert len(trace["message"]) == 32_768
    assert int(trace["properties"]["Truncated From"]) > 80_000


def test_no_key_is_reported_or_logged(server, kept, capsys):
    server.ask("POST", "/score", b"{}")
    server.ask("POST", "/score", b"{}", authorization="Bearer another-secret")
    server.app._log.flush()

    written = json.dumps(kept.items) + capsys.readouterr().out

    assert "POST /score 401" in written
    assert "the-key" not in written
    assert "another-secret" not in written
