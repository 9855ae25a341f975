"""What every workspace promises about load tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from services import scoring_payload
from services.domain import LoadTest, LoadTestPlan, LoadTestState
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local.workspace import LocalWorkspace
from services.ports import LoadTests, Workspace
from tests.ab_reports import WITH_FAILURES
from tests.contract.served import healthy

needs_ab = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")


@pytest.fixture(scope="module")
def deployment(workspace: Workspace, engine: LocalWorkspace) -> str:
    return healthy(workspace, engine)


@pytest.fixture(scope="module")
def payload(workspace: Workspace, deployment: str) -> str:
    return scoring_payload.typical(workspace.scoring.contract(deployment)).text()


@pytest.fixture
def load_tests(workspace: Workspace, until) -> Iterator[LoadTests]:
    """The port under test. Whatever was there before the test is left alone."""
    port = workspace.load_tests
    before = {test.id for test in port.list()}
    yield port
    for test in port.list():
        if test.id not in before:
            port.stop(test.id)
            settled(port, test.id, until)
            port.delete(test.id)


@pytest.fixture
def plan(deployment: str, payload: str):
    def plan(**changes) -> LoadTestPlan:
        defaults = {"deployment": deployment, "payload": payload, "requests": 60}
        return LoadTestPlan(**{**defaults, **changes})

    return plan


def settled(port: LoadTests, load_test_id: str, until) -> LoadTest:
    until(lambda: port.get(load_test_id).state.settled)
    return port.get(load_test_id)


def begin(port: LoadTests, plan: LoadTestPlan) -> LoadTest:
    """Start it, confirmed wherever the deployment is."""
    return port.begin(plan, confirmed=plan.deployment)


@needs_ab
def test_a_load_test_measures_what_was_asked_for(workspace, load_tests, plan, deployment, until):
    asked = begin(load_tests, plan(requests=60, concurrency=5))

    test = settled(load_tests, asked.id, until)

    assert test.state is LoadTestState.COMPLETED, test.error
    assert test.done_count == test.report.complete_count == 60
    assert test.report.failed_count == 0
    assert test.semantic_failure_count == 0
    assert test.answers.result_codes == {"200": 60}
    assert test.deployment == deployment
    assert test.model_id == workspace.deployments.get(deployment).model_id
    assert len(test.payload_sha256) == 64
    assert test.settings
    assert "Complete requests:      60" in load_tests.report_text(test.id)
    assert test in load_tests.list() and test in load_tests.list(deployment)


@needs_ab
def test_the_same_payload_has_the_same_hash_and_another_another(load_tests, plan, until):
    hashes = []
    for text in ('{"data": [1]}', '{"data": [1]}', '{"data": [2]}'):
        asked = begin(load_tests, plan(payload=text))
        hashes.append(asked.payload_sha256)
        settled(load_tests, asked.id, until)

    assert hashes[0] == hashes[1] != hashes[2]


@needs_ab
def test_a_refused_payload_fails_with_what_the_deployment_said(load_tests, plan, until):
    asked = begin(load_tests, plan(payload='{"data": [{"no such column": 1}]}'))

    test = settled(load_tests, asked.id, until)

    assert test.state is LoadTestState.FAILED
    assert "did not begin" in test.error
    assert test.report is None


@needs_ab
def test_one_at_a_time_per_deployment(load_tests, plan):
    first = begin(load_tests, plan(requests=None, seconds=30))

    with pytest.raises(ConflictError, match="has not ended"):
        begin(load_tests, plan())
    assert load_tests.get(first.id).plan.seconds == 30


@needs_ab
def test_stopping_ends_it_and_keeps_what_was_measured(load_tests, plan, until):
    asked = begin(load_tests, plan(requests=None, seconds=30))
    until(lambda: load_tests.get(asked.id).done_count > 0)

    load_tests.stop(asked.id)
    test = settled(load_tests, asked.id, until)

    assert test.state is LoadTestState.STOPPED
    assert test.report.complete_count > 0
    load_tests.stop(asked.id)  # a settled one stays as it is
    assert load_tests.get(asked.id) == test


@needs_ab
def test_a_running_one_is_not_deleted(load_tests, plan):
    asked = begin(load_tests, plan(requests=None, seconds=30))

    with pytest.raises(ConflictError, match="still running"):
        load_tests.delete(asked.id)


@needs_ab
def test_an_unknown_deployment_is_not_found(load_tests, plan, name):
    with pytest.raises(NotFoundError, match=name):
        begin(load_tests, plan(deployment=name))


@pytest.mark.parametrize(
    "changes",
    [{"requests": None}, {"seconds": 5}, {"requests": 3, "concurrency": 4}, {"payload": "{"}],
)
def test_an_impossible_plan_is_refused(load_tests, plan, changes):
    with pytest.raises(InvalidRequestError):
        begin(load_tests, plan(**changes))


def test_an_imported_report_is_kept_with_its_figures(load_tests):
    kept = load_tests.import_report("from elsewhere", WITH_FAILURES)

    assert kept.imported
    assert kept.state is LoadTestState.COMPLETED
    assert (kept.name, kept.deployment, kept.plan) == ("from elsewhere", None, None)
    assert kept.report.complete_count == 200
    assert kept.report.failures["Receive"] == 9
    assert kept.warnings
    assert load_tests.get(kept.id) == kept
    assert load_tests.list()[0] == kept


def test_an_imported_report_loses_the_secrets_of_its_request(load_tests):
    text = f"INFO: POST header ==\n---\nAuthorization: Bearer s3cret\n---\n{WITH_FAILURES}"

    kept = load_tests.import_report("with a key", text)

    assert "s3cret" not in load_tests.report_text(kept.id)
    assert "Complete requests" in load_tests.report_text(kept.id)


@pytest.mark.parametrize(("title", "text"), [("x", "no report"), ("  ", WITH_FAILURES)])
def test_what_is_no_report_or_has_no_name_is_refused(load_tests, title, text):
    before = load_tests.list()

    with pytest.raises(InvalidRequestError):
        load_tests.import_report(title, text)
    assert load_tests.list() == before


def test_deleting_twice_succeeds(load_tests):
    kept = load_tests.import_report("to be deleted", WITH_FAILURES)

    load_tests.delete(kept.id)
    load_tests.delete(kept.id)

    with pytest.raises(NotFoundError, match=kept.id):
        load_tests.get(kept.id)
    with pytest.raises(NotFoundError, match=kept.id):
        load_tests.report_text(kept.id)


def test_an_unknown_one_is_not_found(load_tests, name):
    with pytest.raises(NotFoundError, match=name):
        load_tests.get(name)


def test_changes_are_in_the_audit_log(workspace, load_tests):
    kept = load_tests.import_report("audited", WITH_FAILURES)

    (event,) = workspace.audit.list(subject=f"load_test/{kept.id}")

    assert event.action == "load_test.import"
