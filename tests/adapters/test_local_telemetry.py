"""The local telemetry server: over HTTP as Azure would be asked, and killed in the middle."""

import gzip
import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import requests

from services.app_insights import wire
from services.app_insights.sender import Sender
from services.domain import DeploymentState, Panel, TimeWindow
from services.errors import UnavailableError
from services.local import processes
from services.local.deployments import LocalDeployments
from services.local.store import Store
from services.local.telemetry import LocalTelemetry, identity
from services.local.telemetry.prober import Prober
from services.local.telemetry_duty import TelemetryDuty
from tests.recorded import deployments
from tests.recorded import telemetry as recorded

NOW = datetime.now(UTC)
WINDOW = TimeWindow(
    start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), bin=timedelta(minutes=5)
)


def until(condition, *, limit_s=60.0):
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s"
        time.sleep(0.02)
    return found


def event(name="e", key="", **rest):
    return {**wire.event_envelope(at=NOW, name=name), "iKey": key, **rest}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("home") / "workspace.db")


@pytest.fixture(scope="module")
def address(store):
    with recorded.answering(store.path.parent) as address:
        yield address


@pytest.fixture(scope="module")
def access(store):
    return identity.access(store)


@pytest.fixture
def post(address, access):
    def post(items, path="/v2.1/track", **options):
        given = [{**item, "iKey": item.get("iKey") or access.instrumentation_key} for item in items]
        return requests.post(address + path, data=orjson.dumps(given), timeout=20, **options)

    return post


@pytest.fixture
def ask(address, access):
    def ask(kql, *, token=None, app_id=None, **headers):
        return requests.post(
            f"{address}/v1/apps/{app_id or access.application_id}/query",
            json={"query": kql},
            headers={"Authorization": f"Bearer {token or access.query_token}", **headers},
            timeout=30,
        )

    return ask


@pytest.fixture
def named(ask):
    """How many events of a name were stored."""

    def named(name):
        answer = ask(f'customEvents | where name == "{name}" | count').json()
        return int(answer["tables"][0]["rows"][0][0])

    return named


# --- ingestion ---


@pytest.mark.parametrize("path", ["/v2/track", "/v2.1/track", "//v2.1/track"])
def test_what_is_acknowledged_can_be_asked_for_at_once(post, named, path):
    name = f"asked {path}"

    answer = post([event(name), event(name)], path)

    assert answer.json() == {"itemsReceived": 2, "itemsAccepted": 2, "errors": []}
    assert named(name) == 2


@pytest.mark.parametrize("lines", [False, True])
def test_a_zipped_body_is_taken(address, access, named, lines):
    name = f"zipped {lines}"
    items = [event(name, access.instrumentation_key)] * 3
    body = b"\n".join(map(orjson.dumps, items)) if lines else orjson.dumps(items)

    answer = requests.post(
        f"{address}/v2/track",
        data=gzip.compress(body),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/x-json-stream"},
        timeout=20,
    )

    assert answer.status_code == 200
    assert named(name) == 3


def test_good_items_are_kept_beside_bad_ones(post, named):
    answer = post([event("good"), event("bad", time="yesterday"), event("good")])

    assert answer.status_code == 206
    assert answer.json()["itemsAccepted"] == 2
    assert answer.json()["errors"][0]["index"] == 1
    assert "yesterday" in answer.json()["errors"][0]["message"]
    assert named("good") == 2


def test_somebody_elses_key_is_refused(post, named):
    answer = post([event("foreign", "00000000-0000-0000-0000-000000000000")])

    assert answer.status_code == 400
    assert "not this workspace's" in answer.json()["errors"][0]["message"]
    assert named("foreign") == 0


def test_every_item_of_a_post_shows_its_own_key(post, named):
    foreign = event("mixed", "00000000-0000-0000-0000-000000000000")
    answer = post([event("mixed"), foreign, event("mixed"), foreign])

    assert answer.status_code == 206
    assert [each["index"] for each in answer.json()["errors"]] == [1, 3]
    assert named("mixed") == 2


def test_a_post_that_is_repeated_is_stored_once(post, named):
    for attempt in ("1", "2", "3"):
        headers = {"X-Batch-Id": "one-batch", "X-Batch-Attempt": attempt}
        assert post([event("once")], headers=headers).status_code == 200

    assert named("once") == 1


def test_a_post_that_is_repeated_while_it_is_stored_is_stored_once(post, named):
    def again(attempt):
        headers = {"X-Batch-Id": "same-time", "X-Batch-Attempt": str(attempt)}
        answers.append(post([event("same time")], headers=headers).status_code)

    answers = []
    threads = [threading.Thread(target=again, args=(attempt,)) for attempt in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 8
    assert named("same time") == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"nonsense", {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 200),
        (b"\x1f\x8bnonsense", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b" " * (wire.INFLATE_LIMIT_BYTES + 2)), {"Content-Encoding": "gzip"}, 413),
        (b" " * 40_000_000, {}, 413),
    ],
)
def test_a_bad_body_is_refused_and_harms_nobody(address, post, body, headers, status):
    answer = requests.post(f"{address}/v2/track", data=body, headers=headers, timeout=60)

    assert answer.status_code == status
    assert post([event("after")]).status_code == 200


def test_another_sites_page_cannot_reach_it_by_a_name_of_its_own(address):
    answer = requests.post(
        f"{address}/v2/track", data=b"[]", headers={"Host": "evil.example"}, timeout=20
    )

    assert answer.status_code == 400


def test_the_classic_sdk_delivers(address, access, named):
    from applicationinsights import TelemetryClient
    from applicationinsights.channel import SynchronousQueue, SynchronousSender, TelemetryChannel

    sender = SynchronousSender(f"{address}/v2/track")
    client = TelemetryClient(
        access.instrumentation_key, TelemetryChannel(None, SynchronousQueue(sender))
    )
    client.track_event("from the SDK", {"key": "value"}, {"size": 3.5})
    client.flush()

    assert named("from the SDK") == 1


# --- queries ---


def test_a_query_needs_the_token_and_the_application(ask):
    assert ask("print 1").status_code == 200
    assert ask("print 1", token="guess").status_code == 401
    assert ask("print 1", app_id="another").status_code == 404


def test_a_wrong_query_is_answered_as_the_service_answers_it(ask):
    answer = ask("requests | where durationMs > 1")

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "BadArgumentError"
    assert "durationMs" in error["innererror"]["message"]


def test_a_query_ends_when_its_caller_stops_waiting(ask):
    side = "range x from 1 to 30000 step 1 | extend k = 1"
    slow = f"{side} | join kind=inner ({side}) on k | summarize sum(x * x1 % 7)"

    assert ask(slow, Prefer="wait=1").status_code == 504
    assert ask("print 1").status_code == 200


def test_values_cross_the_wire_in_the_services_own_form(ask):
    answer = ask(
        'print t = datetime(2026-11-22T09:30:00.5Z), n = 3, r = 1.5, b = true, s = "é",'
        ' d = dynamic({"a": 1}), m = real(null), l = 90m'
    ).json()

    (table,) = answer["tables"]
    types = {column["name"]: column["type"] for column in table["columns"]}
    assert types == {
        "t": "datetime",
        "n": "long",
        "r": "real",
        "b": "bool",
        "s": "string",
        "d": "dynamic",
        "m": "real",
        "l": "timespan",
    }
    assert table["rows"] == [
        ["2026-11-22T09:30:00.500000Z", 3, 1.5, True, "é", '{"a":1}', None, "0.01:30:00.000000"]
    ]


def test_more_rows_than_the_service_gives_are_said_to_be_missing(ask, monkeypatch):
    from services.local.telemetry import runner

    monkeypatch.setattr(runner, "ROW_LIMIT", 10)

    answer = ask("range x from 1 to 50 step 1").json()

    assert len(answer["tables"][0]["rows"]) == 10
    assert answer["error"]["code"] == "PartialError"


def test_asking_and_sending_at_once_disturb_nobody(post, ask, named):
    def send():
        statuses.extend(post([event("busy")] * 20).status_code for _ in range(10))

    def query():
        by_name = "customEvents | summarize count() by name"
        statuses.extend(ask(by_name).status_code for _ in range(10))

    statuses = []
    threads = [threading.Thread(target=work) for work in (send, send, query, query)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) == {200}
    assert named("busy") == 400


# --- processes ---


@pytest.fixture
def home(tmp_path):
    return tmp_path


@contextmanager
def running(home):
    """The server as the supervisor would start it."""
    (program,) = TelemetryDuty(home, Store(home / "workspace.db")).programs()
    process = processes.spawn(program.module, *program.args, log=program.log)
    try:
        until(lambda: healthy(home) or process.poll() is not None)
        assert process.poll() is None, program.log.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdin.close()


def healthy(home):
    (program,) = TelemetryDuty(home, Store(home / "workspace.db")).programs()
    if program.health_url is None:
        return False
    try:
        return requests.get(program.health_url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def counted(home):
    frame = LocalTelemetry(home, Store(home / "workspace.db")).panel(Panel.SUMMARY, WINDOW).frame
    return int(frame["requests"].iloc[0] or 0)


def scored(number):
    return recorded.envelope(recorded.Request(), at=datetime.now(UTC), request_id=f"r{number}")


def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(home):
    store = Store(home / "workspace.db")
    sender = Sender(
        lambda: identity.connection_string(store),
        spool=home / "spool",
        role="bank",
        interval_s=0.05,
    )
    sent = 0
    for _ in range(3):
        with running(home) as server:
            for _ in range(300):
                sender.track(scored(sent := sent + 1))
                time.sleep(0.001)
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
        for _ in range(100):  # scored while nobody takes telemetry in
            sender.track(scored(sent := sent + 1))
    with running(home):
        until(lambda: not sender.waiting_count)

        assert counted(home) == sent == 1200
    sender.close()


def test_a_killed_scoring_server_leaves_its_telemetry_for_the_next(home):
    store = Store(home / "workspace.db")
    with running(home):
        known = identity.connection_string(store)
    first = Sender(known, spool=home / "spool", role="bank", interval_s=0.05)
    for number in range(50):
        first.track(scored(number))
    until(lambda: not first._queue)  # written; then the process is gone
    files = {file.name: file.read_bytes() for file in (home / "spool").iterdir()}
    first.close(0.1)
    for name, content in files.items():
        (home / "spool" / name).write_bytes(content)

    with running(home):
        heir = Sender(known, spool=home / "spool", role="bank")
        until(lambda: not heir.waiting_count)
        heir.close()

        assert counted(home) == 50


def test_it_comes_back_on_its_port_with_its_keys(home):
    store = Store(home / "workspace.db")
    with running(home):
        before = identity.connection_string(store)
    with running(home):
        assert identity.connection_string(store) == before


def test_it_takes_another_port_when_its_own_is_taken(home):
    import socket

    store = Store(home / "workspace.db")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = str(squatter.getsockname()[1])
        store.set_setting(identity.PORT, taken)
        (program,) = TelemetryDuty(home, store).programs()
        process = processes.spawn(program.module, *program.args, log=program.log)
        until(lambda: store.setting(identity.PORT) != taken and healthy(home))
        process.kill()
        process.wait()
        process.stdin.close()


def test_it_ends_with_whoever_started_it(home):
    with running(home) as server:
        server.stdin.close()

        until(lambda: server.poll() is not None)


def test_a_server_that_is_told_to_stop_stores_what_it_has_taken(home):
    with running(home) as server:
        sender = Sender(
            identity.connection_string(Store(home / "workspace.db")),
            spool=home / "spool",
            role="bank",
            interval_s=0.01,
        )
        for number in range(200):
            sender.track(scored(number))
        until(lambda: not sender.waiting_count)
        server.terminate()
        server.wait(timeout=30)
        sender.close()

    assert not (home / "telemetry" / "telemetry.duckdb.wal").exists()
    with running(home):
        assert counted(home) == 200


def test_a_second_server_on_the_same_file_gives_up_and_says_why(home):
    with running(home):
        (program,) = TelemetryDuty(home, Store(home / "workspace.db")).programs()
        log = home / "second.log"
        second = processes.spawn(program.module, *program.args, log=log)

        assert second.wait(timeout=60) == 1
        assert "cannot be opened" in log.read_text()
        second.stdin.close()


def test_a_damaged_file_is_left_as_it_is(home):
    path = home / "telemetry" / "telemetry.duckdb"
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    (program,) = TelemetryDuty(home, Store(home / "workspace.db")).programs()

    process = processes.spawn(program.module, *program.args, log=program.log)

    assert process.wait(timeout=60) == 1
    process.stdin.close()
    assert path.read_bytes() == b"not a database" * 1000
    assert "left untouched" in program.log.read_text()


def test_with_the_server_down_a_question_ends_at_once_with_a_sentence(home):
    with running(home):
        pass
    port = LocalTelemetry(home, Store(home / "workspace.db"))

    with pytest.raises(UnavailableError, match="supervisor starts it"):
        port.panel(Panel.LATENCY, WINDOW)


def test_before_its_first_start_a_question_says_so(home):
    port = LocalTelemetry(home, Store(home / "workspace.db"))

    with pytest.raises(UnavailableError, match="has not started yet"):
        port.query("print 1")
    assert port.connection_string == ""


def test_old_rows_are_forgotten_at_the_start(home):
    old = datetime.now(UTC) - timedelta(days=91)
    recorded.requests(home, [recorded.Request(at=old), recorded.Request(at=datetime.now(UTC))])
    port = LocalTelemetry(home, Store(home / "workspace.db"))

    with running(home):
        until(lambda: port.query("requests | count").frame.iloc[0, 0] == 1)


def test_spooled_lines_are_what_the_wire_expects(home):
    sender = Sender("", spool=home / "spool", role="bank", interval_s=0.01)
    sender.track(scored(1))
    until(lambda: any((home / "spool").iterdir()))
    sender.close(0.1)

    (file,) = (home / "spool").iterdir()
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["data"]["baseType"] == "RequestData"


# --- availability tests ---


@pytest.fixture
def answering_deployment():
    """A health address that answers what a test decides."""
    import http.server

    class Health(http.server.BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(Health.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Tests are quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port, Health
    server.shutdown()
    thread.join()
    server.server_close()


def probed(home, store):
    prober = Prober(LocalDeployments(home, store).list)
    return {
        each["data"]["baseData"]["name"]: (
            each["data"]["baseData"]["success"],
            each["data"]["baseData"]["message"],
        )
        for each in prober()
    }


def test_deployments_with_telemetry_are_tested_and_no_others(home, answering_deployment):
    port, health = answering_deployment
    store = Store(home / "workspace.db")
    deployments.supervised(store)
    deployments.deployment(home, store, "up", telemetry=True, port=port)
    deployments.deployment(home, store, "down", telemetry=True, port=9)
    deployments.deployment(home, store, "silent", telemetry=False, port=port)
    starting = DeploymentState.TRANSITIONING
    deployments.deployment(home, store, "starting", telemetry=True, state=starting)

    found = probed(home, store)

    assert found.keys() == {"up", "down"}
    assert found["up"] == (True, "")
    assert found["down"][0] is False
    assert "refused" in found["down"][1]

    health.status = 503

    assert probed(home, store)["up"] == (False, "answered 503")


def test_the_servers_own_tests_can_be_asked_for(home, answering_deployment):
    store = Store(home / "workspace.db")
    deployments.supervised(store)
    deployments.deployment(home, store, "up", telemetry=True, port=answering_deployment[0])
    port = LocalTelemetry(home, store)

    with running(home):
        until(lambda: len(port.panel(Panel.AVAILABILITY_TESTS, WINDOW, "up").frame))
        (row,) = port.panel(Panel.AVAILABILITY_TESTS, WINDOW, "up").frame.to_dict("records")

    assert row["availability_pct"] == 100.0


def test_more_than_can_be_stored_is_turned_away_until_there_is_room(post, named, monkeypatch):
    from services.local.telemetry import ingestion

    monkeypatch.setattr(ingestion, "QUEUE_LIMIT", 3)

    answer = post([event("too many")] * 4)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    assert named("too many") == 0
    assert post([event("few")] * 3).status_code == 200
