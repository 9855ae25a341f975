"""Real requests to small servers: retries, limits, keys, and programs that were copied."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from services import scoring, snippets
from services.errors import NotFoundError, UnavailableError
from services.local.scoring import LocalScoring
from services.local.store import Store
from services.scoring import Retries
from tests.shared_data import shared_data
from tests.stub_deployment import CONTRACT, GOOD, PRIMARY, SECONDARY, Stub, deploy, serving

PAYLOAD = json.dumps({"data": [{"age": 38, "job": "entrepreneur à l'œuvre"}]})


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def uri(stub) -> str:
    return f"http://127.0.0.1:{stub.port}/score"


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def send(uri, pauses):
    def send(payload=PAYLOAD, **settings):
        return scoring.send(uri, payload, sleep=pauses.append, **settings)

    return send


def test_an_answer_carries_what_it_took_and_what_it_means(stub, send):
    stub.headers["x-ms-request-id"] = "abc"

    answer = send(key="secret")

    assert answer.ok
    assert (answer.status, answer.attempts, answer.results) == (200, 1, ("no",))
    assert answer.run_ms == 2.5
    assert answer.duration_ms > 0
    assert answer.request_id == "abc"
    assert answer.body == GOOD
    assert stub.requests[0]["authorization"] == "Bearer secret"
    assert stub.bodies == [json.loads(PAYLOAD)]


def test_without_a_key_no_authorization_is_sent(stub, send):
    send()

    assert "authorization" not in stub.requests[0]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_deployment_that_is_not_ready_is_asked_again(stub, send, pauses, status):
    stub.answer = lambda number, _: (status, "wait") if number < 3 else (200, GOOD)

    answer = send()

    assert answer.ok
    assert answer.attempts == 3
    assert pauses == [0.3, 0.6]


def test_the_number_of_attempts_is_bounded(stub, send):
    stub.answer = lambda *_: (503, "still down")

    answer = send(retries=Retries(attempt_limit=4))

    assert (answer.status, answer.attempts, len(stub.requests)) == (503, 4, 4)
    assert "still down" in answer.error


def test_a_wish_to_wait_is_granted_within_a_limit(stub, send, pauses):
    stub.headers["Retry-After"] = "3600"
    stub.answer = lambda number, _: (503, "") if number == 1 else (200, GOOD)

    send()

    assert pauses == [Retries().longest_pause_s]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 429, 500])
def test_what_would_fail_again_is_not_repeated(stub, send, status):
    stub.answer = lambda *_: (status, json.dumps({"message": "no"}))

    answer = send()

    assert (answer.status, answer.attempts) == (status, 1)
    assert not answer.ok


def test_nobody_listening_is_a_sentence_with_the_attempts_it_took(pauses):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    answer = scoring.send(f"http://127.0.0.1:{port}/score", PAYLOAD, sleep=pauses.append)

    assert answer.status is None
    assert "refused the connection" in answer.error
    assert answer.attempts == 3


def test_a_silent_deployment_is_given_up_after_the_limit_and_not_asked_again(stub, send):
    stub.delay_s = 1.0

    answer = send(timeout_s=0.1)

    assert answer.status is None
    assert "within 0.1 s" in answer.error
    assert answer.attempts == 1


def test_an_unknown_host_is_named_as_such(pauses):
    answer = scoring.send("http://nowhere.invalid/score", PAYLOAD, sleep=pauses.append)

    assert not answer.ok
    assert "host name" in answer.error or "closed the connection" in answer.error


def test_a_key_is_not_sent_after_a_redirect(stub, send):
    with serving() as elsewhere:
        stub.headers["Location"] = f"http://127.0.0.1:{elsewhere.port}/score"
        stub.answer = lambda *_: (307, "")

        answer = send(key="secret")

    assert elsewhere.requests == []
    assert not answer.ok


def test_no_key_is_logged_or_part_of_an_answer(stub, send, caplog):
    caplog.set_level(logging.DEBUG)
    stub.answer = lambda *_: (503, "down")

    answer = send(key="very-secret-key")

    assert "very-secret-key" not in caplog.text
    assert "very-secret-key" not in repr(answer)


def test_a_client_reuses_its_connection(stub, uri):
    with scoring.ScoringClient(uri, key="k") as client:
        answers = [client.send(PAYLOAD) for _ in range(3)]

    assert all(answer.ok for answer in answers)


# --- the port of the local workspace ----------------------------------------------


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def port(tmp_path, store) -> LocalScoring:
    return LocalScoring(tmp_path, store)


def test_the_port_fetches_the_key_itself(tmp_path, store, stub, port):
    deploy(tmp_path, store, stub.port)

    assert port.score("bank", PAYLOAD).ok
    assert stub.requests[0]["authorization"] == f"Bearer {PRIMARY}"


def test_an_anonymous_deployment_gets_no_key(tmp_path, store, stub, port):
    deploy(tmp_path, store, stub.port, auth=False)

    assert port.score("bank", PAYLOAD).ok
    assert "authorization" not in stub.requests[0]


def test_bare_probabilities_are_named_by_the_contracts_classes(tmp_path, store, stub, port):
    stub.answer = lambda *_: (200, json.dumps({"result": [[0.25, 0.75]]}))
    deploy(tmp_path, store, stub.port)

    answer = port.score("bank", PAYLOAD)

    assert answer.results == ("yes",)
    assert answer.probabilities == ({"no": 0.25, "yes": 0.75},)


def test_a_model_without_a_contract_is_scored_all_the_same(tmp_path, store, stub, port):
    deploy(tmp_path, store, stub.port, contract=None)

    assert port.score("bank", PAYLOAD).results == ("no",)
    with pytest.raises(NotFoundError, match="data contract"):
        port.contract("bank")


def test_a_contract_is_the_models_own(tmp_path, store, stub, port):
    deploy(tmp_path, store, stub.port)

    assert port.contract("bank") == CONTRACT


def test_an_unknown_deployment_is_not_found(port):
    with pytest.raises(NotFoundError, match="nothing-here"):
        port.score("nothing-here", PAYLOAD)


def test_a_deployment_without_an_address_is_not_there_yet(tmp_path, store, port):
    deploy(tmp_path, store, None)

    with pytest.raises(UnavailableError, match="no scoring URI"):
        port.score("bank", PAYLOAD)


# --- copied programs --------------------------------------------------------------


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, snippets.KEY_VARIABLE: SECONDARY, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        arguments, capture_output=True, text=True, check=True, env=environment, timeout=60
    )


def test_the_copied_python_runs_with_the_variable_set(stub, uri):
    payload = shared_data("score_payload.json").read_text()

    shown = run([sys.executable, "-c", snippets.python(uri, payload, auth=True)]).stdout

    assert shown.strip() == "{'result': ['no']}"
    assert stub.bodies == [json.loads(payload)]
    assert stub.requests[0]["authorization"] == f"Bearer {SECONDARY}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_copied_curl_sends_the_same_request(stub, uri):
    shown = run(["bash", "-c", snippets.curl(uri, PAYLOAD, auth=True)]).stdout

    assert shown == GOOD
    assert stub.bodies == [json.loads(PAYLOAD)]
    assert stub.requests[0]["authorization"] == f"Bearer {SECONDARY}"
    assert stub.requests[0]["content-type"] == "application/json"
