"""The relay between ab and a deployment elsewhere: who may use it, and what it passes on."""

from __future__ import annotations

import http.client
import json
import os
import stat
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from services.domain import LoadTestPlan
from services.local import load_test_handover, load_test_target
from services.local.load_test_handover import FILE, Handover
from services.local.scoring_relay import Relay, Route

KEY = "the-real-key"


class Deployment(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}
        content = json.dumps(told).encode()
        self.send_response(200 if self.headers["Authorization"] == f"Bearer {KEY}" else 401)
        self.send_header("x-ms-request-id", "42")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def uri():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Deployment)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/score"
    server.shutdown()


@pytest.fixture
def route(uri):
    return Route(uri=uri, key=KEY, credential="for-this-test", timeout_s=5, connections=2)


@contextmanager
def relayed(route):
    relay = Relay(route)
    Thread(target=relay.serve, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", relay.port, timeout=10)
    yield connection
    connection.close()


def ask(connection, credential="for-this-test", path="/score", method="POST", body="{}", **headers):
    connection.request(method, path, body, {"Authorization": f"Bearer {credential}", **headers})
    answer = connection.getresponse()
    return answer, answer.read()


def test_the_key_is_added_on_the_way_and_the_rest_is_passed_on(route):
    with relayed(route) as connection:
        answer, content = ask(connection, body='{"data": [1]}', **{"x-ms-tag": "load test"})

    seen = json.loads(content)
    assert (answer.status, answer.getheader("x-ms-request-id")) == (200, "42")
    assert seen["body"] == '{"data": [1]}'
    assert seen["headers"]["x-ms-tag"] == "load test"
    assert seen["headers"]["authorization"] == f"Bearer {KEY}"
    assert "for-this-test" not in content.decode()


def test_nobody_else_on_this_machine_may_use_it(route):
    with relayed(route) as connection:
        answer, content = ask(connection, credential="guessed")

    assert answer.status == 401
    assert KEY not in content.decode()


def test_a_connection_is_kept_for_the_next_request(route):
    with relayed(route) as connection:
        ask(connection)
        kept = connection.sock
        ask(connection)

        assert connection.sock is kept is not None


def test_it_tells_how_long_requests_spent_in_it(route):
    with relayed(route) as connection:
        ask(connection)
        ask(connection)
        _, content = ask(connection, method="GET", path="/overhead", body=None)

    told = json.loads(content)
    assert told["count"] == 2
    assert 0 < told["mean_ms"] < 1000


def test_a_deployment_that_is_not_there_is_a_bad_gateway(route):
    with relayed(replace(route, uri="http://127.0.0.1:9/score")) as connection:
        answer, content = ask(connection)

    assert answer.status == 502
    assert "did not take the connection" in json.loads(content)["error"]


# --- handing over ---------------------------------------------------------------------


def test_what_is_handed_over_is_for_this_account_and_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:8080")
    load_test_handover.leave(tmp_path / "test", "https://host/score", KEY)

    assert stat.S_IMODE((tmp_path / "test" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "test").stat().st_mode) == 0o700
    taken = load_test_handover.take(tmp_path / "test")
    assert (taken.uri, taken.key) == ("https://host/score", KEY)
    assert taken.surroundings["HTTPS_PROXY"] == "http://proxy:8080"
    assert KEY not in repr(taken)
    assert load_test_handover.take(tmp_path / "test") is None
    assert list((tmp_path / "test").iterdir()) == []


def test_what_nobody_fetched_is_removed(tmp_path):
    for name in ("old", "young"):
        load_test_handover.leave(tmp_path / name, "https://host/score", KEY)
    before = time.time() - load_test_handover.WAITS_S - 1
    os.utime(tmp_path / "old" / FILE, (before, before))

    load_test_handover.discard_old(tmp_path)

    assert load_test_handover.take(tmp_path / "old") is None
    assert load_test_handover.take(tmp_path / "young") is not None


def test_the_relay_is_a_process_that_ends_with_its_test(uri, tmp_path):
    plan = LoadTestPlan(deployment="bank", payload="{}", requests=1, concurrency=2)
    handover = Handover(uri=uri, key=KEY)

    with load_test_target.elsewhere(handover, plan, tmp_path / "relay.log") as target:
        port = int(target.uri.rsplit(":", 1)[1].split("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        ask(connection, credential=target.credential)
        answer, _ = ask(connection, credential=target.credential)
        (warning,) = target.warnings()

    assert answer.status == 200
    assert "A relay on this machine" in warning and warning.endswith("ms each")
    assert KEY not in repr(target) + (tmp_path / "relay.log").read_text()
    with pytest.raises(ConnectionError):
        http.client.HTTPConnection("127.0.0.1", port, timeout=10).connect()
