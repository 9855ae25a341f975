"""A load test against peers that turn strange once it has begun: it ends, and says so."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.domain import LoadTest, LoadTestPlan, LoadTestState
from services.local import processes
from services.local.load_tests import LocalLoadTests
from services.local.store import Store
from tests.faults.peers import PEERS, answering
from tests.stub_deployment import GOOD, deploy

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")

ROW = (7, "Load tests of peers that misbehave")
LIMIT_S = 120.0
REQUESTS, SECONDS, TIMEOUT_S = 6, 3, 1
LASTING = ("never answers", "sends its answer drop by drop", "sends without end")
RESULTS = ("answers numbers beyond any float",)  # as Live scoring has it
WELL = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    f"Content-Length: {len(GOOD)}\r\n\r\n{GOOD}"
).encode()


def well_at_first(behave: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """The request before the test is answered as it should be."""
    number = itertools.count()
    return lambda peer: peer.sendall(WELL) if next(number) == 0 else behave(peer)


def measured(home: Path, uri: str, plan: LoadTestPlan) -> LoadTest:
    """What the real worker and the real ab make of it."""
    store = Store(home / "workspace.db")
    deploy(home, store, int(uri.split(":")[2].split("/")[0]))
    load_tests = LocalLoadTests(home, store)
    test = load_tests.begin(plan)
    worker = processes.spawn(
        "services.local.load_test_worker", str(home), test.id, log=home / "worker.log"
    )
    try:
        deadline = time.monotonic() + LIMIT_S
        while not (test := load_tests.get(test.id)).state.settled:
            assert time.monotonic() < deadline and worker.poll() is None, test
            time.sleep(0.05)
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdin.close()
    return test


@pytest.mark.parametrize("name", PEERS)
def test_it_ends_and_calls_nothing_well_that_was_not(name, tmp_path, figures):
    limit = {"seconds": SECONDS} if name in LASTING else {"requests": REQUESTS}
    plan = LoadTestPlan(
        deployment="bank", payload="{}", concurrency=2, timeout_s=TIMEOUT_S, **limit
    )
    began = time.monotonic()
    with answering(well_at_first(PEERS[name])) as uri:
        test = measured(tmp_path, uri, plan)
    took_s = time.monotonic() - began

    assert test.state.settled
    if test.report is None:
        assert test.state is not LoadTestState.COMPLETED
        assert test.error.endswith((".", "…"))
        said = test.error
    else:
        unlike = test.answers.unlike_count if test.answers else 0
        odd = (
            test.report.failed_count
            + test.report.non_2xx_count
            + (test.semantic_failure_count or 0)
            + unlike
        )
        assert odd >= test.report.complete_count or name in RESULTS
        said = (
            f"{test.report.complete_count} complete: {test.report.failed_count} failed, "
            f"{test.report.non_2xx_count} not 2xx, {test.semantic_failure_count} errors inside, "
            f"{unlike} unlike the checked answer. {test.error}"
        )
    figures.add("load test", name, f"{test.state}: {said}"[:300], took_s)


@pytest.mark.parametrize("name", ["never answers", "closes at once", "answers a web page"])
def test_it_does_not_begin_where_the_first_answer_is_none(name, tmp_path, figures):
    plan = LoadTestPlan(
        deployment="bank", payload="{}", requests=REQUESTS, concurrency=2, timeout_s=TIMEOUT_S
    )
    with figures.timed("load test", f"{name}, from the first request on") as said:
        with answering(PEERS[name]) as uri:
            test = measured(tmp_path, uri, plan)
        said.append(f"{test.state}: {test.error}")

    assert test.state is LoadTestState.FAILED and test.report is None
    assert test.error.startswith("The test did not begin. ")
    assert test.done_count == 0
