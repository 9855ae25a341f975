"""Capacity searches under a real supervisor, with real ab, against a server of these tests."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path

import psutil
import pytest

from services.capacity import CapacityPlan, CapacitySearch
from services.domain import LoadTestState
from services.errors import ConflictError, InvalidRequestError
from services.load_test_rules import GuardRails
from services.local import capacity_duty, processes
from services.local.capacity import LocalCapacitySearches
from services.local.clock import utc_now
from services.local.deployments import LocalDeployments
from services.local.duty import Exit, ExitCause
from services.local.load_test_duty import LoadTestDuty
from services.local.load_test_rules import LocalLoadTestRules
from services.local.store import Store
from tests.stub_deployment import GOOD, deploy, serving

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
LIMIT_S = 240.0
PLAN = CapacityPlan(
    deployment="bank",
    payload=json.dumps({"data": [{"age": 38}]}),
    request_budget=3000,
    step_requests=60,
    most=32,
)


class Supervised:
    """What the supervisor does for load tests and searches, one turn at a time."""

    def __init__(self, home: Path, store: Store) -> None:
        self.home, self.store = home, store
        self.workers = {}
        self.begin()

    def begin(self) -> None:
        """A new supervisor: nothing of the old one's memory is left."""
        self.duties = (
            LoadTestDuty(self.home, self.store),
            capacity_duty.CapacityDuty(self.home, self.store),
        )

    def turn(self) -> None:
        for duty in self.duties:
            duty.tick(utc_now())
        wanted = {program.key: program for program in self.duties[0].programs()}
        for key, program in wanted.items():
            if key not in self.workers:
                self.workers[key] = processes.spawn(program.module, *program.args, log=program.log)
        for key, worker in self.workers.items():
            if worker.poll() is not None and key in wanted:
                self.duties[0].exited(exit_of(key, worker.returncode))

    def kill(self) -> None:
        """``kill -9`` of the step under way."""
        for worker in self.workers.values():
            if worker.poll() is None:
                for child in psutil.Process(worker.pid).children(recursive=True):
                    child.kill()
                worker.kill()
                worker.wait()

    def close(self) -> None:
        self.kill()
        for worker in self.workers.values():
            worker.wait()
            worker.stdin.close()


def exit_of(key: str, code: int) -> Exit:
    return Exit(
        key=key,
        generation="1",
        cause=ExitCause.ITSELF,
        code=code,
        answered=False,
        recent_count=1,
        log_tail="",
        at=utc_now(),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def searches(tmp_path: Path, store: Store) -> LocalCapacitySearches:
    return LocalCapacitySearches(tmp_path, store, LocalDeployments(tmp_path, store))


@pytest.fixture
def supervisor(tmp_path: Path, store: Store):
    supervisor = Supervised(tmp_path, store)
    yield supervisor
    supervisor.close()


def followed(supervisor, searches, search, until=None) -> CapacitySearch:
    until = until or (lambda found: found.state.settled)
    deadline = time.monotonic() + LIMIT_S
    while not until(found := searches.get(search.id)):
        assert time.monotonic() < deadline, found
        supervisor.turn()
        time.sleep(0.05)
    return found


def slots(count: int, delay_s: float):
    """Answers that queue for one of `count` places."""
    free = threading.Semaphore(count)

    def answer(number, body):
        with free:
            time.sleep(delay_s)
        return 200, GOOD

    return answer


def refusing(count: int, delay_s: float):
    """Answers that refuse whoever comes beside `count` others."""
    lock, inside = threading.Lock(), [0]

    def answer(number, body):
        with lock:
            inside[0] += 1
            full = inside[0] > count
        time.sleep(delay_s)
        with lock:
            inside[0] -= 1
        return (503, "") if full else (200, GOOD)

    return answer


@pytest.mark.parametrize("kind", [slots, refusing])
def test_a_stub_that_saturates_at_eight_in_flight_is_reported_as_eight(
    tmp_path, store, searches, supervisor, kind
):
    with serving(answer=kind(8, 0.3)) as stub:
        deploy(tmp_path, store, stub.port)
        found = followed(supervisor, searches, searches.begin(PLAN))

    assert found.state is LoadTestState.COMPLETED, found.reason
    assert 7 <= found.last_good.concurrency <= 9, found.reason
    assert found.last_good.requests_per_s > 0
    assert found.last_good.p95_ms >= 300
    assert found.reason.startswith(f"{found.last_good.concurrency} at a time hold.")
    assert found.spent <= PLAN.request_budget


def test_a_search_whose_step_and_supervisor_were_killed_goes_on(
    tmp_path, store, searches, supervisor
):
    with serving(answer=slots(2, 0.05)) as stub:
        deploy(tmp_path, store, stub.port)
        search = searches.begin(PLAN)
        followed(supervisor, searches, search, until=lambda found: found.spent >= 65)
        before = searches.get(search.id).steps
        supervisor.kill()
        supervisor.begin()

        found = followed(supervisor, searches, search)

    assert before
    assert found.steps[: len(before)] == before
    assert found.state is LoadTestState.COMPLETED, found.reason
    assert 1 <= found.last_good.concurrency <= 3


def test_a_budget_that_is_used_up_ends_it_with_what_is_known(tmp_path, store, searches, supervisor):
    plan = CapacityPlan(
        deployment="bank", payload=PLAN.payload, request_budget=130, step_requests=60
    )
    with serving(answer=slots(32, 0.05)) as stub:
        deploy(tmp_path, store, stub.port)
        found = followed(supervisor, searches, searches.begin(plan))

    assert found.spent <= 130
    assert "the budget of 130 requests" in found.reason
    assert found.reason.endswith("2 at a time hold.")


def test_it_is_stopped_with_the_step_under_way(tmp_path, store, searches, supervisor):
    with serving(answer=slots(2, 0.2)) as stub:
        deploy(tmp_path, store, stub.port)
        search = searches.begin(PLAN)
        followed(supervisor, searches, search, until=lambda found: found.spent >= 2)
        searches.stop(search.id)
        found = followed(supervisor, searches, search)

    assert found.state is LoadTestState.STOPPED


def test_what_may_not_be_searched_is_refused(tmp_path, store, searches):
    deploy(tmp_path, store, 5001)
    searches.begin(PLAN)

    with pytest.raises(ConflictError, match="has not ended"):
        searches.begin(PLAN)
    LocalLoadTestRules(store).set_guard_rails("bank", GuardRails(request_budget=100))
    with pytest.raises(InvalidRequestError, match="counts as one load test"):
        searches.begin(PLAN)
