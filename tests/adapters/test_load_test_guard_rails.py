"""Guard rails of load tests, with real ab against a server of these tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from services.domain import LoadTest, LoadTestPlan, LoadTestState
from services.errors import InvalidRequestError
from services.load_test_rules import GuardRails
from services.local import processes
from services.local.load_test_rules import LocalLoadTestRules
from services.local.load_tests import LocalLoadTests
from services.local.store import Store
from tests.stub_deployment import BAD, GOOD, deploy, serving

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
LIMIT_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def carried_out(tmp_path: Path, store: Store):
    """Have a plan carried out against a stub that answers like this."""

    def carried_out(answer, *, delay_s: float = 0.0, **changes) -> LoadTest:
        with serving(answer=answer, delay_s=delay_s) as stub:
            deploy(tmp_path, store, stub.port)
            port = LocalLoadTests(tmp_path, store)
            payload = json.dumps({"data": [{"age": 38}]})
            test = port.begin(LoadTestPlan(**{"deployment": "bank", "payload": payload} | changes))
            log = tmp_path / "load_tests" / test.id / "worker.log"
            worker = processes.spawn(
                "services.local.load_test_worker", str(tmp_path), test.id, log=log
            )
            deadline = time.monotonic() + LIMIT_S
            try:
                while not (test := port.get(test.id)).state.settled:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            finally:
                if worker.poll() is None and not test.state.settled:
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
                if worker.stdin is not None:
                    worker.stdin.close()
            return test

    return carried_out


def test_at_one_failure_in_five_it_stops_within_ten_requests_and_says_why(carried_out):
    # The first request is the check before the test.
    test = carried_out(
        lambda number, _: (503 if number > 1 and number % 5 == 0 else 200, GOOD),
        delay_s=0.08,
        requests=1000,
    )

    assert test.state is LoadTestState.STOPPED
    assert test.report.complete_count <= 10
    assert test.error == (
        "It stopped by itself: 2 of 9 requests failed (status 503), and 20 % is the limit."
    )


def test_errors_inside_a_200_stop_it_too(carried_out):
    test = carried_out(
        lambda number, _: (200, BAD if number % 2 == 0 else GOOD), delay_s=0.08, requests=1000
    )

    assert test.state is LoadTestState.STOPPED
    assert test.report.complete_count <= 20
    assert "an error inside a 200" in test.error


def test_switched_off_by_an_admin_it_goes_on(carried_out, store):
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(stop_at_failure_pct=None))

    test = carried_out(lambda number, _: (503 if number > 1 else 200, GOOD), requests=40)

    assert test.state is LoadTestState.COMPLETED
    assert test.report.complete_count == 40


def test_more_requests_than_the_budget_are_refused_before_anything_is_sent(
    tmp_path, store, carried_out
):
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(request_budget=20))

    with pytest.raises(InvalidRequestError, match="more than the 20"):
        carried_out(lambda *_: (200, GOOD), requests=21)
    assert LocalLoadTests(tmp_path, store).list() == ()


def test_a_test_limited_by_time_ends_at_its_budget_and_says_so(carried_out, store):
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(request_budget=20))

    test = carried_out(lambda *_: (200, GOOD), seconds=30)

    assert test.state is LoadTestState.COMPLETED
    assert test.report.complete_count == 20
    assert any("budget of 20 requests" in each for each in test.warnings)
