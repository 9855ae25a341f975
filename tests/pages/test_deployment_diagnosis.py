"""Deployment health: why a deployment is not well, in plain words."""

from datetime import UTC, datetime, timedelta

import pytest

from services.domain import DeploymentState
from tests.recorded import deployments


@pytest.fixture(autouse=True)
def supervised(local_workspace):
    deployments.supervised(local_workspace.store)


def words(page):
    return " ".join(each.value for each in page.markdown)


def test_a_failed_deployment_names_its_cause_and_the_line(open_page, local_workspace, home):
    deployments.deployment(
        home,
        local_workspace.store,
        state=DeploymentState.FAILED,
        error="Its server ended 5 times within a minute, the last time with 1.",
        log="starting\nModuleNotFoundError: No module named 'xgboost'\n",
    )

    page = open_page("deployment_health", deployment="bank")

    assert not page.exception
    assert "The scoring script cannot start" in words(page)
    assert "Its server keeps crashing" in words(page)
    assert "ModuleNotFoundError: No module named 'xgboost'" in [each.value for each in page.code]


def test_what_no_rule_knows_is_called_unknown(open_page, local_workspace, home):
    deployments.deployment(
        home, local_workspace.store, state=DeploymentState.FAILED, error="It is odd.", log="odd\n"
    )

    page = open_page("deployment_health", deployment="bank")

    assert "The cause is not known" in words(page)


def test_a_healthy_deployment_has_no_card(open_page, local_workspace, home):
    deployments.deployment(home, local_workspace.store, log="MemoryError\n")

    page = open_page("deployment_health", deployment="bank")

    assert not page.exception
    assert "**Next:**" not in words(page)


def test_a_transition_that_takes_too_long_is_called_stuck(open_page, local_workspace, home):
    deployments.deployment(
        home,
        local_workspace.store,
        state=DeploymentState.TRANSITIONING,
        at=datetime.now(UTC) - timedelta(hours=1),
        log="starting\n",
    )

    page = open_page("deployment_health", deployment="bank")

    assert not page.exception
    assert "The transition takes longer than usual" in words(page)
