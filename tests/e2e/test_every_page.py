"""Every page, light and dark, as a browser meets it: quiet, self-contained, accessible."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dashboard import navigation
from tests.e2e import running

THEMES = ("light", "dark")
ADDRESSES = {
    page.file: "/" if page is navigation.REGISTRY[0] else f"/{page.file}"
    for page in navigation.REGISTRY
}


@pytest.fixture(scope="module", params=["empty", "recorded"])
def dashboard(request, tmp_path_factory):
    """On a workspace with nothing in it, and on one with something at every step."""
    folder = tmp_path_factory.mktemp("dashboard")
    home = folder / "workspace"
    if request.param == "recorded":
        subprocess.run([sys.executable, "-m", "tests.recorded", home], cwd=running.ROOT, check=True)
    with running.dashboard(home, folder / "dashboard.log") as started:
        yield started


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_quiet_self_contained_and_accessible(open_tab, name, theme):
    visit = open_tab(ADDRESSES[name], theme=theme)

    assert visit.page.get_by_role("heading", level=1).count() == 1
    assert visit.page.get_by_test_id("stException").count() == 0
    assert visit.violations() == []
    assert visit.errors == []
    assert visit.outside == []


def test_every_page_is_one_click_away(open_tab):
    visit = open_tab("/settings")

    for page in navigation.REGISTRY:
        link = visit.page.get_by_test_id("stSidebar").get_by_role("link", name=page.title)
        link.click()
        visit.page.wait_for_url(f"**{ADDRESSES[page.file]}*")
        visit.settle()
        assert visit.page.title().startswith(page.title)
    assert visit.errors == []


def test_choices_survive_a_page_switch_and_a_copied_link(open_tab):
    visit = open_tab("/settings?window=7d")

    visit.page.get_by_test_id("stSidebar").get_by_role("link", name="Dataset").click()
    visit.page.wait_for_url("**/dataset*")
    visit.settle()

    assert "window=7d" in visit.page.url
    assert visit.page.get_by_role("combobox", name="Time window").input_value() == "7d"


@pytest.mark.parametrize("theme", THEMES)
def test_code_above_the_page_can_be_read(open_tab, theme):
    """A popover lies outside the page, where nothing says which theme it is."""
    visit = open_tab("/benchmark_results", theme=theme)
    button = visit.page.get_by_role("button", name="Code")
    if button.count() == 0:
        pytest.skip("nothing is deployed here")

    button.first.click()
    visit.settle()

    visit.page.get_by_test_id("stPopoverBody").get_by_text("SDK v1").wait_for()
    assert visit.violations() == []
