"""A real dashboard in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e import browser as browsers
from tests.e2e import running
from tests.e2e.browser import Visit
from tests.e2e.running import Running

SCREENS = Path(__file__).resolve().parents[2] / "test-results" / "screens"

OpenTab = Callable[..., Visit]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without it, and without axe, these tests are skipped."""
    path = browsers.executable()
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    if not browsers.AXE.exists():
        pytest.skip("axe-core is not installed: make node")
    with browsers.launched(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dashboard on an empty workspace, one per test file."""
    folder = tmp_path_factory.mktemp("dashboard")
    with running.dashboard(folder / "workspace", folder / "dashboard.log") as started:
        yield started


@pytest.fixture
def open_tab(
    chromium: Browser, dashboard: Running, request: pytest.FixtureRequest
) -> Iterator[OpenTab]:
    """``open_tab("/dataset", theme="dark")``: a fresh session at an address, drawn.

    Whatever is open when the test ends is kept as a picture in ``test-results/screens``.
    """
    visits: list[Visit] = []

    def open_tab(address: str = "/", *, theme: str = "light") -> Visit:
        context = chromium.new_context(viewport=browsers.VIEWPORT, color_scheme=theme)
        visit = Visit(context.new_page(), dashboard.base)
        visits.append(visit)
        visit.open(address)
        return visit

    yield open_tab
    SCREENS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    for number, visit in enumerate(visits):
        visit.page.screenshot(path=SCREENS / f"{name}{f'-{number}' if number else ''}.png")
        visit.page.context.close()
