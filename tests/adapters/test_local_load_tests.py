"""Real ab, carried out by the real worker, against small servers of these tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.domain import LoadTest, LoadTestPlan, LoadTestState
from services.errors import ConflictError
from services.load_test_rules import GuardRails
from services.local import processes
from services.local.clock import utc_now
from services.local.duty import Exit, ExitCause
from services.local.load_test_duty import LoadTestDuty
from services.local.load_test_rules import LocalLoadTestRules
from services.local.load_tests import LocalLoadTests
from services.local.store import Store, instant
from services.ports import LoadTests
from tests.stub_deployment import BAD, GOOD, PRIMARY, SECONDARY, Stub, deploy, serving

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")

PAYLOAD = json.dumps({"data": [{"age": 38}]})
LIMIT_S = 60.0


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def load_tests(tmp_path: Path, store: Store) -> LoadTests:
    return LocalLoadTests(tmp_path, store)


def plan(**changes) -> LoadTestPlan:
    return LoadTestPlan(**{"deployment": "bank", "payload": PAYLOAD, "requests": 50} | changes)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start the worker of a load test, as the supervisor would."""
    started: list[subprocess.Popen[bytes]] = []

    def work(load_test_id: str) -> subprocess.Popen[bytes]:
        log = tmp_path / "load_tests" / load_test_id / "worker.log"
        worker = processes.spawn(
            "services.local.load_test_worker", str(tmp_path), load_test_id, log=log
        )
        started.append(worker)
        return worker

    yield work
    for worker in started:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        if worker.stdin is not None:
            worker.stdin.close()


def settled(port: LoadTests, load_test_id: str) -> LoadTest:
    deadline = time.monotonic() + LIMIT_S
    while not (test := port.get(load_test_id)).state.settled:
        assert time.monotonic() < deadline, f"still {test.state} after {LIMIT_S:.0f} s"
        time.sleep(0.05)
    return test


def test_fifty_requests_five_at_a_time_are_measured(tmp_path, store, stub, load_tests, work):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(concurrency=5))

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.COMPLETED, test.error
    assert test.report.complete_count == test.done_count == 50
    assert test.report.failed_count == 0
    assert test.report.concurrency == 5
    assert len(stub.requests) == 51  # one to check the payload, fifty measured
    assert test.answers.result_codes == {"200": 50}
    assert test.semantic_failure_count == 0
    assert test.answers.run_percentiles_ms[50] == 2.5
    assert sum(count for _, _, count in test.report.histogram) == 50
    assert set(test.report.percentiles_ms) == set(range(101))
    assert test.report.max_ms < 60_000


def test_a_known_delay_of_200_ms_is_the_median_within_10_ms(
    tmp_path, store, stub, load_tests, work
):
    stub.delay_s = 0.2
    deploy(tmp_path, store, stub.port)

    def median() -> float:
        asked = load_tests.begin(plan(requests=15, concurrency=1))
        work(asked.id)
        return settled(load_tests, asked.id).report.percentiles_ms[50]

    # A busy machine adds to the delay, so the quietest of a few runs counts.
    assert any(200 <= median() <= 210 for _ in range(5))


def test_ab_is_given_a_key_that_dies_with_the_run_and_never_a_real_one(
    tmp_path, store, stub, load_tests, work
):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())

    work(asked.id)
    settled(load_tests, asked.id)

    used = {request["authorization"] for request in stub.requests}
    assert len(used) == 1
    assert not used & {f"Bearer {PRIMARY}", f"Bearer {SECONDARY}"}
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM temporary_keys").fetchone()[0] == 0
    credential = used.pop().removeprefix("Bearer ")
    kept = [path.read_bytes() for path in (tmp_path / "load_tests").rglob("*") if path.is_file()]
    assert kept
    assert not any(credential.encode() in content for content in kept)


def test_every_request_carries_the_tag_by_which_telemetry_tells_test_traffic(
    tmp_path, store, stub, load_tests, work
):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=10))

    work(asked.id)
    settled(load_tests, asked.id)

    tags = {request["x-ms-client-request-id"] for request in stub.requests}
    assert tags == {f"loadtest-{asked.id}"}


def test_progress_is_seen_while_it_runs_and_stopping_keeps_what_was_measured(
    tmp_path, store, stub, load_tests, work
):
    stub.delay_s = 0.1
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=100_000, concurrency=2))
    work(asked.id)
    deadline = time.monotonic() + LIMIT_S
    while load_tests.get(asked.id).done_count < 5:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    load_tests.stop(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.STOPPED
    assert (test.ended_at - _asked_to_stop(store, asked.id)).total_seconds() < 2
    assert 5 <= test.report.complete_count < 100_000
    assert not _running_ab(asked.id)


def test_a_limit_in_seconds_ends_it(tmp_path, store, stub, load_tests, work):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=None, seconds=1, concurrency=2))

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.COMPLETED, test.error
    assert test.report.total_s >= 1
    # ab stops at its limit: an answer that is just then on its way is read, but not complete.
    answered = sum(test.answers.result_codes.values())
    assert 0 < test.report.complete_count <= answered <= test.report.complete_count + 2


def test_answers_that_hide_an_error_in_a_200_are_counted_apart(
    tmp_path, store, stub, load_tests, work
):
    stub.answer = lambda number, body: (200, BAD if number > 31 else GOOD)
    deploy(tmp_path, store, stub.port)
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(stop_at_failure_pct=None))
    asked = load_tests.begin(plan())

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.report.failed_count == 0
    assert test.report.non_2xx_count == 0
    assert test.semantic_failure_count + test.answers.unlike_count == 20


def test_answers_other_than_2xx_are_counted_by_code(tmp_path, store, stub, load_tests, work):
    stub.answer = lambda number, body: (200, GOOD) if number == 1 or number % 2 else (503, "busy")
    deploy(tmp_path, store, stub.port)
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(stop_at_failure_pct=None))
    asked = load_tests.begin(plan())

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.answers.result_codes == {"200": 25, "503": 25}
    assert test.report.non_2xx_count == 25


def test_a_refused_payload_ends_it_before_it_begins(tmp_path, store, stub, load_tests, work):
    stub.answer = lambda number, body: (400, json.dumps({"message": "“age” is missing"}))
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.FAILED
    assert "“age” is missing" in test.error
    assert len(stub.requests) == 1


def test_a_key_the_server_has_not_learnt_of_yet_is_tried_again(
    tmp_path, store, stub, load_tests, work
):
    stub.answer = lambda number, body: (401, "") if number < 3 else (200, GOOD)
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=10))

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.COMPLETED, test.error
    assert test.answers.result_codes == {"200": 10}


def test_a_deployment_that_is_not_there_is_a_sentence(tmp_path, store, load_tests, work):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    deploy(tmp_path, store, port)
    asked = load_tests.begin(plan())

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.FAILED
    assert "refused the connection" in test.error


def test_a_server_that_falls_silent_ends_the_test_with_the_reason(
    tmp_path, store, stub, load_tests, work
):
    def answer(number: int, body: object) -> tuple[int, str]:
        if number > 3:
            time.sleep(5)
        return 200, GOOD

    stub.answer = answer
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(timeout_s=1))

    work(asked.id)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.FAILED
    assert "time limit" in test.error
    assert test.answers.result_codes == {"200": 2}


def test_when_the_workspace_is_shut_down_the_test_reads_stopped_and_no_ab_is_left(
    tmp_path, store, stub, load_tests, work
):
    stub.delay_s = 0.1
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=100_000))
    worker = work(asked.id)
    _until(lambda: load_tests.get(asked.id).done_count > 2)

    os.killpg(worker.pid, signal.SIGTERM)
    test = settled(load_tests, asked.id)

    assert test.state is LoadTestState.STOPPED
    assert "shut down" in test.error
    assert test.report.complete_count > 2
    worker.wait(timeout=LIMIT_S)
    assert not _running_ab(asked.id)


def test_a_worker_whose_supervisor_died_stops_by_its_lifeline(
    tmp_path, store, stub, load_tests, work
):
    stub.delay_s = 0.1
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan(requests=100_000))
    worker = work(asked.id)
    _until(lambda: load_tests.get(asked.id).done_count > 2)

    worker.stdin.close()

    assert settled(load_tests, asked.id).state is LoadTestState.STOPPED
    assert not _running_ab(asked.id)


def test_one_that_was_stopped_before_it_began_sends_nothing(
    tmp_path, store, stub, load_tests, work
):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())
    load_tests.stop(asked.id)

    work(asked.id).wait(timeout=LIMIT_S)

    assert load_tests.get(asked.id).state is LoadTestState.STOPPED
    assert stub.requests == []


def test_the_duty_has_each_test_carried_out_until_it_ended(tmp_path, store, stub, load_tests):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())
    duty = LoadTestDuty(tmp_path, store)

    assert [program.key for program in duty.programs()] == [f"load_test/{asked.id}"]
    load_tests.stop(asked.id)
    assert duty.programs() == ()


@pytest.mark.parametrize("cause", [ExitCause.LOST, ExitCause.ITSELF, ExitCause.SHUTDOWN])
def test_a_worker_that_vanished_leaves_a_failed_test_with_the_reason(
    tmp_path, store, stub, load_tests, cause
):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())
    duty = LoadTestDuty(tmp_path, store)

    duty.exited(_exit(asked.id, cause))

    test = load_tests.get(asked.id)
    assert test.state is LoadTestState.FAILED
    assert test.error
    assert duty.programs() == ()


def test_the_end_of_a_worker_does_not_change_a_settled_test(tmp_path, store, stub, load_tests):
    deploy(tmp_path, store, stub.port)
    asked = load_tests.begin(plan())
    load_tests.stop(asked.id)

    LoadTestDuty(tmp_path, store).exited(_exit(asked.id, ExitCause.ITSELF))

    assert load_tests.get(asked.id).state is LoadTestState.STOPPED


def test_two_processes_that_begin_at_once_get_one_test(tmp_path, store, stub, load_tests):
    deploy(tmp_path, store, stub.port)
    results: list[object] = []

    def begin() -> None:
        try:
            results.append(load_tests.begin(plan()).id)
        except ConflictError as error:
            results.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(each, str) for each in results) == 1
    assert len(results) == 4


def _exit(load_test_id: str, cause: ExitCause) -> Exit:
    return Exit(
        key=f"load_test/{load_test_id}",
        generation="1",
        cause=cause,
        code=None,
        answered=False,
        recent_count=1,
        log_tail="",
        at=utc_now(),
    )


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _asked_to_stop(store: Store, load_test_id: str):
    with store.reading() as db:
        row: sqlite3.Row = db.execute(
            "SELECT stop_asked_at FROM load_tests WHERE id = ?", (load_test_id,)
        ).fetchone()
    return instant(row["stop_asked_at"])


def _running_ab(load_test_id: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "ab" and load_test_id in " ".join(process.info["cmdline"] or [])
    ]
