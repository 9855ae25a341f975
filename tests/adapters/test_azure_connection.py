"""The connection test names the step that fails and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.azure import connection_test
from services.azure.deadlines import Deadlines
from services.azure.sign_in import AzureConfig
from services.azure.workspace import AzureWorkspace
from services.domain import ConnectionStep, StepOutcome
from services.errors import AccessDeniedError, InvalidRequestError
from services.local.desk import LocalDesk
from tests.azure_double.faults import Fault
from tests.azure_double.hand import Double, double

LATER = ("Role", "Application Insights")


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        yield azure


@pytest.fixture(autouse=True)
def _well_again(azure: Double) -> Iterator[None]:
    yield
    azure.misbehave()
    azure.turn(permissions=[{"actions": ["*"], "notActions": []}])


@pytest.fixture
def steps(azure: Double):
    """``steps(tenant_id=…)``: each step by its title, with some of the configuration changed."""

    def steps(**changed: object) -> dict[str, ConnectionStep]:
        return {each.title: each for each in connection_test.steps(_open(azure, **changed))}

    return steps


def _open(azure: Double, **changed: object) -> AzureWorkspace:
    config = AzureConfig.read(Path(azure.environment["DASHBOARD_WORKSPACE_CONFIG"]))
    desk = LocalDesk(azure.engine.home, azure.engine.store, workspace="test")
    return AzureWorkspace(replace(config, **changed), desk, deadlines=Deadlines(5.0))  # type: ignore[arg-type]


def test_everything_works_and_nothing_is_changed(azure, steps):
    azure.asked()

    found = steps()

    assert [each.outcome for each in found.values()] == [StepOutcome.PASSED] * 5, found
    assert all(each.elapsed_ms > 0 for each in found.values())
    assert "Reads everything. May change everything." in found["Role"].detail
    writes = [
        each
        for each in azure.asked()
        if each.startswith(("PUT", "PATCH", "DELETE", "POST"))
        and not any(word in each for word in (":query", "/token", "/query"))
    ]
    assert writes == []
    assert azure.unknown() == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"client_secret": "wrong"}, "The client secret is wrong"),
        ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, "The tenant does not exist"),
        ({"client_secret": ""}, "set AZURE_CLIENT_SECRET"),
    ],
    ids=["secret", "tenant", "nothing"],
)
def test_a_sign_in_that_fails_is_the_first_step_and_the_rest_is_not_tried(steps, changed, sentence):
    found = steps(**changed)

    assert found["Credentials"].outcome is StepOutcome.FAILED
    assert sentence in found["Credentials"].detail
    others = [step.outcome for title, step in found.items() if title != "Credentials"]
    assert others == [StepOutcome.NOT_TRIED] * 4


def test_a_subscription_out_of_sight_names_those_in_sight(steps):
    found = steps(subscription_id="another")

    assert found["Credentials"].outcome is StepOutcome.PASSED
    assert found["Subscription"].outcome is StepOutcome.FAILED
    assert "It sees Loopback" in found["Subscription"].detail
    assert found["Workspace"].outcome is StepOutcome.NOT_TRIED


def test_no_subscription_at_all_is_a_missing_role(azure, steps):
    azure.misbehave(Fault(pattern=r"management.azure.com/subscriptions$", body='{"value": []}'))

    assert "It sees none: give it a role" in steps()["Subscription"].detail


def test_a_workspace_that_is_not_there_names_what_to_check(steps):
    found = steps(workspace_name="ws-typo")

    assert found["Subscription"].outcome is StepOutcome.PASSED
    assert found["Workspace"].outcome is StepOutcome.FAILED
    assert "has no workspace ws-typo" in found["Workspace"].detail


def test_a_workspace_one_may_not_see_names_the_role(azure, steps):
    azure.misbehave(Fault(pattern=r"management.azure.com.*/workspaces/[^/]+$", status=403))

    assert "give it the role" in steps()["Workspace"].detail


def test_a_service_that_refuses_leaves_the_others_readable(azure, steps):
    azure.misbehave(Fault(pattern=r"/modelmanagement/.*/services", status=403))

    found = steps()

    assert found["Role"].outcome is StepOutcome.PARTLY
    assert "Not deployments" in found["Role"].detail
    assert "Reads datasets, runs, models, pipelines, schedules." in found["Role"].detail
    assert found["Application Insights"].outcome is StepOutcome.PASSED


def test_a_role_that_only_reads_is_said_before_the_first_change_fails(azure, steps):
    azure.turn(permissions=[{"actions": ["*/read"], "notActions": []}])

    assert "May change nothing" in steps()["Role"].detail


def test_an_action_taken_back_is_not_allowed(azure, steps):
    actions = ["Microsoft.MachineLearningServices/workspaces/*"]
    taken = ["Microsoft.MachineLearningServices/workspaces/services/aci/*"]
    azure.turn(permissions=[{"actions": actions, "notActions": taken}])

    assert "may only register, submit pipelines" in steps()["Role"].detail


def test_application_insights_without_a_role_names_it(azure, steps):
    azure.misbehave(Fault(pattern=r"/query", status=403))

    found = steps()

    assert found["Role"].outcome is StepOutcome.PASSED
    assert found["Application Insights"].outcome is StepOutcome.FAILED
    assert "Monitoring Reader" in found["Application Insights"].detail


def test_azure_out_of_reach_is_said_as_such(azure, steps):
    azure.misbehave(Fault(pattern=r"management.azure.com", drop=True))

    found = steps()

    assert found["Subscription"].outcome is StepOutcome.FAILED
    assert "could not be reached" in found["Subscription"].detail


def test_what_everything_needs_is_required_before_a_switch(azure):
    connection_test.require(_open(azure))

    with pytest.raises(AccessDeniedError, match="secret is wrong"):
        connection_test.require(_open(azure, client_secret="wrong"))
    with pytest.raises(InvalidRequestError, match="ws-typo"):
        connection_test.require(_open(azure, workspace_name="ws-typo"))
