"""Alerting in a real browser: its views are accessible, and a channel is added and tested."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from services.local.workspace import open_workspace
from tests import receivers
from tests.e2e import running

VIEWS = {
    "rules": "/alerts?view=Rules",
    "channels": "/alerts?view=Channels",
    "quiet hours": "/alerts?view=Quiet+hours",
    "retraining": "/pipeline_schedules?view=Retraining",
}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """On a workspace with something at every step."""
    folder = tmp_path_factory.mktemp("dashboard")
    home = folder / "workspace"
    subprocess.run([sys.executable, "-m", "tests.recorded", home], cwd=running.ROOT, check=True)
    with running.dashboard(home, folder / "dashboard.log") as started:
        yield started


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_quiet_and_accessible(open_tab, view, theme):
    visit = open_tab(VIEWS[view], theme=theme)

    assert visit.page.get_by_test_id("stException").count() == 0
    assert visit.violations() == []
    assert visit.errors == []


def test_the_bands_of_a_run_are_accessible(open_tab, dashboard):
    run = open_workspace(dashboard.home).runs.list("bank-marketing")[0]

    visit = open_tab(f"/training_runs?run={run.id}&run-view=Bands")

    assert visit.page.get_by_test_id("stException").count() == 0
    assert visit.violations() == []


def test_a_webhook_is_added_tested_and_told(open_tab, dashboard):
    visit = open_tab("/alerts?view=Channels")
    page = visit.page
    with receivers.webhook() as hook:
        page.get_by_role("button", name="Add channel").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name").fill("On call")
        dialog.get_by_role("textbox", name="Address").fill(hook.url)
        dialog.get_by_role("textbox", name="Address").press("Tab")
        dialog.get_by_role("button", name="Save").click()
        card = page.locator("[class*='st-key-channel-']", has_text="On call")
        card.get_by_role("button", name="Send a test").click()
        page.get_by_text("The test was delivered").wait_for(timeout=60_000)

        assert "test" in [post["event"] for post in hook.posts]
        assert "a-secret-path" not in page.content()
        deadline = time.monotonic() + 60
        while open_workspace(dashboard.home).alerts.evaluated_at() is None:
            assert time.monotonic() < deadline
            time.sleep(0.5)
