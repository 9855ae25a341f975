"""Scoring servers as processes: killed, rotated, updated and fed nonsense while they serve."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain import DeploymentState, KeyKind
from services.local import deployment_rows
from tests import scoring_models
from tests.recorded import deployments as recorded
from tests.scoring_home import ScoringHome

FIRST, SECOND, BROKEN = "bank:1", "bank:2", "broken:1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringHome]:
    home = ScoringHome(tmp_path_factory.mktemp("workspace"))
    store = home.workspace.store
    scoring_models.register(home.path, store, FIRST, "logistic")
    scoring_models.register(home.path, store, SECOND, "trees")
    recorded.model(home.path, store, BROKEN)
    broken = home.path / "models" / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "model.pkl").write_bytes(b"this is no pickle")
    (broken / "contract.json").write_text((home.path / "models/bank/1/contract.json").read_text())
    home.start()
    yield home
    while home.supervisors:
        home.end()


@pytest.fixture(scope="module")
def bank(home) -> str:
    """A healthy deployment that every test leaves healthy."""
    return home.deploy("bank")


@pytest.fixture
def name(home, request) -> Iterator[str]:
    """A name whose deployment is gone after the test."""
    name = f"test-{abs(hash(request.node.name)) % 10**8}"
    yield name
    home.deployments.delete(name)


@contextmanager
def callers(home: ScoringHome, name: str, key: str, count: int = 3) -> Iterator[list[object]]:
    """Requests without a pause while the block runs; what came back, in order."""
    uri, ending, answers = home.deployments.get(name).scoring_uri, threading.Event(), []

    def call() -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        with requests.Session() as session:
            while not ending.is_set():
                try:
                    answer = session.post(
                        uri, data=scoring_models.payload(), headers=headers, timeout=30
                    )
                    answers.append(answer.status_code)
                except requests.RequestException as error:
                    answers.append(error)

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ending.set()
        for thread in threads:
            thread.join()


# --- processes ---


def test_a_killed_server_comes_back_at_its_address_with_its_keys(home, bank):
    before, keys = home.deployments.get(bank), home.deployments.keys(bank)
    killed = home.server(bank)

    killed.kill()
    home.until(lambda: home.state(bank) is not DeploymentState.HEALTHY)
    home.until(lambda: home.state(bank) is DeploymentState.HEALTHY, bank)

    assert home.server(bank).pid != killed.pid
    assert home.deployments.get(bank).scoring_uri == before.scoring_uri
    assert home.deployments.keys(bank) == keys
    assert home.ask(bank).status_code == 200


def test_while_it_is_down_the_state_says_unhealthy_and_why(home, bank):
    def being_started_again() -> bool:
        deployment = home.deployments.get(bank)
        unwell = deployment.state is DeploymentState.UNHEALTHY
        return unwell and "start" in deployment.error  # a probe may be refused before it has ended

    home.server(bank).kill()

    home.until(being_started_again)
    home.until(lambda: home.state(bank) is DeploymentState.HEALTHY, bank)


def test_a_server_that_hangs_is_unhealthy_until_it_answers_again(home, bank):
    def silent() -> bool:
        deployment = home.deployments.get(bank)
        unwell = deployment.state is DeploymentState.UNHEALTHY
        return unwell and "does not answer" in deployment.error

    hanging = home.server(bank)
    hanging.suspend()
    try:
        home.until(silent)
    finally:
        hanging.resume()

    home.until(lambda: home.state(bank) is DeploymentState.HEALTHY, bank)


def test_a_restarted_workspace_serves_at_the_same_addresses(home, bank):
    before, keys = home.deployments.get(bank), home.deployments.keys(bank)

    home.end()
    assert "supervisor" in home.deployments.get(bank).error
    home.start()
    home.until(lambda: home.state(bank) is DeploymentState.HEALTHY, bank)

    assert home.deployments.get(bank).scoring_uri == before.scoring_uri
    assert home.ask(bank, key=keys.secondary).status_code == 200


def test_a_killed_supervisor_leaves_no_server_behind(home, bank):
    orphan = home.server(bank)

    home.end(signal.SIGKILL)
    orphan.wait(timeout=60)
    home.start()

    home.until(lambda: home.state(bank) is DeploymentState.HEALTHY, bank)
    assert home.ask(bank).status_code == 200


def test_a_server_that_ends_again_and_again_is_given_up_with_its_log(home, name):
    home.deploy(name)
    ended: set[int] = set()

    def end_it() -> bool:
        seen = home.table.observed(deployment_rows.process_key(name))
        if seen is not None and seen.running and seen.ref.pid not in ended:
            ended.add(seen.ref.pid)
            os.kill(seen.ref.pid, signal.SIGKILL)
        return home.state(name) is DeploymentState.FAILED

    home.until(end_it)

    deployment = home.deployments.get(name)
    assert len(ended) > 3
    assert "within a minute" in deployment.error
    assert "listens on" in home.deployments.logs(name).text


def test_a_model_that_cannot_be_loaded_fails_with_the_reason_in_the_log(home, name):
    home.deploy(name, BROKEN)

    deployment = home.deployments.get(name)
    assert deployment.state is DeploymentState.FAILED
    assert "broken:1 cannot be loaded: UnpicklingError" in deployment.error
    assert "UnpicklingError" in home.deployments.logs(name).text
    (created,) = home.deployments.transitions(name)
    assert created.outcome is DeploymentState.FAILED


def test_a_failed_deployment_is_tried_again_with_another_model(home, name):
    home.deploy(name, BROKEN)

    home.deployments.begin_update(name, model_id=FIRST)
    home.settle(name)

    assert home.state(name) is DeploymentState.HEALTHY
    assert home.ask(name).status_code == 200


def test_a_port_somebody_else_took_is_replaced(home, name):
    home.deploy(name)
    uri = home.deployments.get(name).scoring_uri
    port = int(uri.split(":")[2].split("/")[0])
    home.end()

    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        home.start()
        home.until(lambda: home.state(name) is DeploymentState.HEALTHY, name)

    assert home.deployments.get(name).scoring_uri != uri
    assert home.ask(name).status_code == 200


# --- decisions taken up while serving ---


def test_keys_are_regenerated_without_dropping_a_request(home, bank):
    keys = home.deployments.keys(bank)

    with callers(home, bank, keys.secondary) as answers:
        home.until(lambda: len(answers) > 20)
        home.deployments.begin_regenerate_key(bank, KeyKind.PRIMARY)
        home.until(lambda: home.deployments.keys(bank).primary != keys.primary)
        reached = len(answers)
        home.until(lambda: len(answers) > reached + 20)

    assert set(answers) == {200}
    assert home.ask(bank, key=keys.primary).status_code == 401


def test_another_model_version_takes_over_without_dropping_a_request(home, bank):
    key, server = home.deployments.keys(bank).primary, home.server(bank)

    with callers(home, bank, key) as answers:
        for model_id in (SECOND, FIRST):
            home.deployments.begin_update(bank, model_id=model_id)
            home.settle(bank)
            assert home.deployments.get(bank).model_id == model_id
        reached = len(answers)
        home.until(lambda: len(answers) > reached + 20)

    assert set(answers) == {200}
    assert home.server(bank) == server  # the same process all along


def test_an_update_to_a_broken_model_is_taken_back(home, bank):
    key = home.deployments.keys(bank).primary

    with callers(home, bank, key) as answers:
        home.deployments.begin_update(bank, model_id=BROKEN)
        home.settle(bank)

    deployment = home.deployments.get(bank)
    assert (deployment.state, deployment.model_id) == (DeploymentState.HEALTHY, FIRST)
    assert "taken back" in deployment.error
    assert home.deployments.transitions(bank)[0].outcome is DeploymentState.FAILED
    assert set(answers) == {200}
    home.deployments.begin_update(bank, model_id=SECOND)  # and a good one clears the sentence
    home.settle(bank)
    assert home.deployments.get(bank).error == ""
    home.deployments.begin_update(bank, model_id=FIRST)
    home.settle(bank)


def test_a_temporary_key_scores_at_once_until_it_is_revoked(home, bank):
    key = home.deployments.issue_temporary_key(bank, 60.0)

    assert home.ask(bank, key=key).status_code == 200
    home.deployments.revoke_temporary_key(bank, key)
    home.until(lambda: home.ask(bank, key=key).status_code == 401)


def test_a_temporary_key_ends_by_itself(home, bank):
    key = home.deployments.issue_temporary_key(bank, 0.5)

    home.until(lambda: home.ask(bank, key=key).status_code == 401)


def test_temporary_keys_are_kept_as_hashes_only(home, bank):
    key = home.deployments.issue_temporary_key(bank, 60.0)

    stored = b"".join(path.read_bytes() for path in home.path.glob("workspace.db*"))

    assert key.encode() not in stored


def test_telemetry_reports_every_request_as_it_went(home, bank):
    began = datetime.now(UTC)
    home.deployments.begin_update(bank, telemetry=True)
    home.settle(bank)
    home.ask(bank)
    home.ask(bank, key="wrong")
    home.ask(bank, scoring_models.payload({**scoring_models.ROW, "age": "old"}))

    def rows(kql: str) -> list[dict[str, object]]:
        since = began.strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f"{kql} | where timestamp >= datetime({since}) | order by timestamp asc"
        return home.workspace.telemetry.query(query).frame.to_dict("records")

    home.until(lambda: len(rows("requests")) >= 3)
    good, unauthorised, bad = rows("requests")
    home.until(lambda: rows("exceptions"))
    (reason,) = rows("exceptions")
    (printed,) = [row for row in rows("traces") if str(row["message"]).startswith("{")]
    home.deployments.begin_update(bank, telemetry=False)
    home.settle(bank)

    assert [row["resultCode"] for row in (good, unauthorised, bad)] == ["200", "401", "400"]
    assert [str(row["success"]) for row in (good, unauthorised, bad)] == ["True", "False", "False"]
    assert good["name"] == "POST /score"
    assert 0 < good["duration"] < 10_000
    assert good["cloud_RoleName"] == bank
    properties = json.loads(good["customDimensions"])
    assert properties["Service Name"] == bank
    assert json.loads(json.loads(properties["Response Value"]))["result"]
    assert json.loads(printed["message"])["input"]["data"] == [scoring_models.ROW]
    assert json.loads(printed["message"])["output"]["result"]
    assert "age" in reason["outerMessage"]


# --- what callers may send ---


def test_nothing_is_served_to_the_network(home, bank):
    listening = [each.laddr.ip for each in home.server(bank).net_connections(kind="inet")]

    assert set(listening) <= {"127.0.0.1"}


def test_a_long_score_does_not_hold_up_the_health_check_or_small_requests(home, bank):
    rows = [scoring_models.ROW] * 60_000
    deployment, key = home.deployments.get(bank), home.deployments.keys(bank).primary
    large = scoring_models.payload(*rows)
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(home.ask(bank, large).status_code))

    thread.start()
    overlapped = 0
    while thread.is_alive():
        assert requests.get(deployment.scoring_uri.removesuffix("score"), timeout=30).ok
        assert home.ask(bank, key=key).status_code == 200
        overlapped += not done
    thread.join()

    assert done == [200]
    assert overlapped >= 2


def test_an_oversized_body_is_refused_before_it_is_read(home, bank):
    answer = home.ask(bank, b"[" + b"1," * 6_000_000 + b"1]")

    assert answer.status_code == 413
    assert "10 MB" in answer.json()["message"]
    assert home.ask(bank).status_code == 200


def test_a_body_without_an_announced_size_is_cut_off_at_the_limit(home, bank):
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 100_000

    try:
        answer = home.ask(bank, endless())
    except requests.ConnectionError:
        pass  # it closed the connection while we were still sending
    else:
        assert answer.status_code == 413

    assert home.ask(bank).status_code == 200


def test_a_caller_that_leaves_in_the_middle_harms_nobody(home, bank):
    deployment, key = home.deployments.get(bank), home.deployments.keys(bank).primary
    port = int(deployment.scoring_uri.split(":")[2].split("/")[0])
    for length in (b"1000000", b"-5", b"nonsense", b""):
        with socket.create_connection(("127.0.0.1", port)) as caller:
            head = b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            caller.sendall(head + b"Authorization: Bearer " + key.encode() + b"\r\n")
            caller.sendall(b"Content-Length: " + length + b'\r\n\r\n{"data": [')

    assert home.ask(bank).status_code == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
rows = st.fixed_dictionaries(
    {}, optional={column: json_values for column in (*scoring_models.ROW, "stranger", "y")}
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"data": st.lists(rows, max_size=3) | json_values}, optional={"method": json_values}
    ).map(lambda body: json.dumps(body).encode()),
)


@given(body=bodies)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_kills_the_server_or_is_answered_with_a_server_error(home, bank, body):
    server = home.server(bank)

    answer = home.ask(bank, body)

    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["message"]
    else:
        assert json.loads(answer.json())["result"]
    assert server.is_running()


def test_a_pickle_made_of_code_is_never_run_by_the_request(home, bank):
    """Requests are JSON; nothing in them is ever unpickled."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("touch pwned",)

    assert home.ask(bank, pickle.dumps(Evil())).status_code == 400
