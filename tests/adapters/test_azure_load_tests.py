"""Load tests of a web service of Azure ML: the key stays out of everybody's sight."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

import pytest

from services.capacity import CapacityPlan
from services.domain import DeploymentState, LoadTestPlan, LoadTestState
from services.errors import InvalidRequestError
from services.local import load_test_handover
from services.local.load_test_handover import FILE, Handover
from services.local.load_test_target import elsewhere
from services.scoring import ScoringClient
from tests import scoring_models
from tests.azure_double.faults import Fault
from tests.azure_double.hand import double
from tests.azure_double.opened import open_azure

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")
NAME, MODEL = "bank", "bank-model:1"
LIMIT_S = 120.0


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        engine = azure.engine
        scoring_models.register(engine.home, engine.store, MODEL, "logistic")
        engine.deployments.begin_create(NAME, MODEL)
        wait(lambda: engine.deployments.get(NAME).state is DeploymentState.HEALTHY)
        yield azure


@pytest.fixture(scope="module")
def workspace(azure):
    return open_azure(azure)


@pytest.fixture
def plan():
    return LoadTestPlan(deployment=NAME, payload=scoring_models.payload(), requests=200)


def wait(condition):
    deadline = time.monotonic() + LIMIT_S
    while not (answer := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def settled(port, test):
    return wait(lambda: port.get(test.id).state.settled) and port.get(test.id)


def command_lines() -> str:
    """What every process of this machine was started with, as ``ps`` shows it."""
    lines = []
    for path in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                lines.append((path / name).read_bytes().decode(errors="replace"))
    return "\n".join(lines)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
def test_the_key_is_in_no_command_line_and_in_no_file(workspace, azure, plan):
    keys = workspace.deployments.keys(NAME)

    test = workspace.load_tests.begin(plan, confirmed=NAME)
    seen = ""
    while not workspace.load_tests.get(test.id).state.settled:
        seen += command_lines()
    test = workspace.load_tests.get(test.id)

    assert test.state is LoadTestState.COMPLETED, test.error
    assert "/ab\0" in seen or "ab\0-n" in seen
    assert keys.primary not in seen
    assert keys.secondary not in seen
    left = azure.engine.home / "load_tests" / test.id
    assert not (left / FILE).exists()
    for path in left.rglob("*"):
        assert keys.primary.encode() not in path.read_bytes(), path


def test_the_report_says_that_a_relay_stood_between_and_what_it_added(workspace, plan):
    test = settled(workspace.load_tests, workspace.load_tests.begin(plan, confirmed=NAME))

    assert test.report.complete_count == 200
    assert test.answers.result_codes == {"200": 200}
    (warning,) = [each for each in test.warnings if "relay" in each]
    assert "ms each" in warning


def test_what_azure_measures_is_not_what_the_local_workspace_lists(workspace, azure, plan):
    test = settled(workspace.load_tests, workspace.load_tests.begin(plan, confirmed=NAME))

    assert test.id in [each.id for each in workspace.load_tests.list(NAME)]
    assert azure.engine.load_tests.list() == ()
    assert workspace.audit.list(subject=f"load_test/{test.id}")[-1].action == "load_test.begin"
    assert azure.engine.audit.list(subject=f"load_test/{test.id}") == ()


def test_a_worker_that_nobody_told_the_way_says_so(workspace, monkeypatch, plan):
    monkeypatch.setattr(load_test_handover, "leave", lambda *_: None)

    test = settled(workspace.load_tests, workspace.load_tests.begin(plan, confirmed=NAME))

    assert test.state is LoadTestState.FAILED
    assert "not handed over" in test.error


def test_a_deployment_that_breaks_down_meanwhile_is_counted_as_such(workspace, azure, plan):
    azure.misbehave(Fault(pattern=r"POST .*azurecontainer.io/score", status=503))
    try:
        test = settled(workspace.load_tests, workspace.load_tests.begin(plan, confirmed=NAME))
    finally:
        azure.misbehave()

    assert test.state is LoadTestState.FAILED
    assert "did not begin" in test.error and "503" in test.error


@pytest.mark.parametrize("trusted", [True, False])
def test_the_certificate_is_verified_through_the_proxy(azure, plan, tmp_path, trusted):
    key = azure.engine.deployments.keys(NAME).primary
    surroundings = dict(azure.environment)
    if not trusted:
        surroundings["REQUESTS_CA_BUNDLE"] = ""
    handover = Handover(
        uri=f"https://{NAME}.westeurope.azurecontainer.io/score",
        key=key,
        surroundings=surroundings,
    )

    with (
        elsewhere(handover, plan, tmp_path / "relay.log") as target,
        ScoringClient(target.uri, key=target.credential) as client,
    ):
        answer = client.send(plan.payload)

    if trusted:
        assert answer.ok, answer.error
    else:
        assert answer.status == 502
        assert "certificate was not accepted" in answer.error


def test_a_capacity_search_goes_through_the_same_relay(workspace, plan):
    wanted = CapacityPlan(
        deployment=NAME, payload=plan.payload, request_budget=200, step_requests=60, most=2
    )
    with pytest.raises(InvalidRequestError, match="type its name"):
        workspace.capacity.begin(wanted)

    search = workspace.capacity.begin(wanted, confirmed=NAME)
    found = settled(workspace.capacity, search)

    assert found.state is LoadTestState.COMPLETED, found.reason
    assert found.steps
    assert found.spent <= 200
