"""Three tabs of one dashboard do the same thing at once: done once, each tab told, each drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from services.domain import DeploymentState, LoadTestState
from services.local.workspace import LocalWorkspace, open_workspace
from tests import scoring_models
from tests.e2e import running
from tests.e2e.browser import PATIENCE_MS, Visit

TABS, LIMIT_S = 3, 120.0
REFUSED = "A load test of “bank” has not ended"
Tabs = Callable[[str], list[Visit]]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """On a workspace with a model to deploy."""
    folder = tmp_path_factory.mktemp("dashboard")
    home = folder / "workspace"
    scoring_models.register(home, open_workspace(home).store, "bank:1")
    with running.dashboard(home, folder / "dashboard.log") as started:
        yield started


@pytest.fixture
def workspace(dashboard) -> LocalWorkspace:
    """Where “bank” is deployed and Healthy."""
    workspace = open_workspace(dashboard.home)
    if not workspace.deployments.list():
        workspace.deployments.begin_create("bank", "bank:1")
    until(lambda: workspace.deployments.get("bank").state is DeploymentState.HEALTHY)
    return workspace


@pytest.fixture
def tabs(open_tab, workspace) -> Tabs:
    return lambda address: [open_tab(address) for _ in range(TABS)]


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {LIMIT_S:.0f} s"
        time.sleep(0.1)
    return answer


def press(visits: list[Visit], key: str, *, at_once: bool = False) -> None:
    """The button with this key in every tab; at once: none waits for what another's does."""
    buttons = [visit.page.locator(f".st-key-{key} button").first for visit in visits]
    for button in buttons:
        expect(button).to_be_enabled(timeout=PATIENCE_MS)
    for button in buttons:
        button.evaluate("button => button.click()") if at_once else button.click()
    for visit in visits:
        visit.settle()


def says(visit: Visit, *texts: str) -> bool:
    """Whether one of these is on the screen, notices that pass included."""
    return any(visit.page.get_by_text(text).count() for text in texts)


def drawn_on(visits: list[Visit]) -> None:
    """Nothing broke, and each tab goes on: it shows another page."""
    for visit in visits:
        assert visit.page.get_by_test_id("stException").count() == 0
        visit.open("/models")
        visit.page.get_by_text("bank").filter(visible=True).first.wait_for(timeout=PATIENCE_MS)
        assert visit.errors == []


def test_one_load_test_is_started_and_the_others_say_why_not(tabs, workspace):
    visits = tabs("/benchmark_results?deployment=bank")
    before = len(workspace.load_tests.list())
    for visit in visits:
        requests_field = visit.page.locator(".st-key-benchmark-requests input")
        requests_field.fill("100000")
        requests_field.press("Tab")
        visit.settle()

    press(visits, "benchmark-run", at_once=True)

    until(lambda: len(workspace.load_tests.list()) > before)
    for visit in visits:
        visit.page.get_by_text(REFUSED).or_(
            visit.page.get_by_text("bank: 100,000 requests")
        ).filter(visible=True).first.wait_for(timeout=PATIENCE_MS)
    begun = workspace.load_tests.list()
    assert len(begun) == before + 1
    assert [says(visit, REFUSED) for visit in visits].count(True) == TABS - 1
    workspace.load_tests.stop(begun[0].id)
    until(lambda: workspace.load_tests.get(begun[0].id).state is LoadTestState.STOPPED)
    drawn_on(visits)


def test_a_key_that_three_tabs_replace_is_the_one_that_is_shown(tabs, workspace):
    before = workspace.deployments.keys("bank")
    visits = tabs("/deployment_health?deployment=bank")
    press(visits, "health-regenerate-Primary-bank")

    press(visits, "health-regenerate-Primary-bank-yes", at_once=True)

    for visit in visits:
        visit.page.get_by_text("key was regenerated").first.wait_for(timeout=PATIENCE_MS)
    after = until(lambda: (keys := workspace.deployments.keys("bank")) != before and keys)
    assert after.secondary == before.secondary
    until(lambda: scored(workspace, workspace.deployments.keys("bank").primary) == 200)
    assert scored(workspace, before.primary) == 401
    drawn_on(visits)


def test_a_deployment_that_three_tabs_delete_is_deleted_once(tabs, workspace):
    visits = tabs("/deployment_health?deployment=bank")
    press(visits, "health-delete-bank")
    for visit in visits:
        name = visit.page.get_by_role("dialog").get_by_role("textbox")
        name.fill("bank")
        name.press("Enter")
        visit.settle()

    press(visits, "health-delete-bank-yes", at_once=True)

    until(lambda: not workspace.deployments.list())
    for visit in visits:
        until(lambda visit=visit: says(visit, "was deleted", "Nothing is deployed"))
    deleted = [each for each in workspace.audit.list() if each.action == "deployment.delete"]
    assert len(deleted) == 1
    drawn_on(visits)


def scored(workspace: LocalWorkspace, key: str) -> int:
    answer = requests.post(
        str(workspace.deployments.get("bank").scoring_uri),
        data=scoring_models.payload(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=30,
    )
    return answer.status_code
