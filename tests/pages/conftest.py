"""A page as the operator sees it, over a local workspace whose past was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard import choices, drawing, memory, readings, session
from dashboard.settings import SETTINGS
from services.ports import Workspace

ROOT = Path(__file__).resolve().parents[2]

OpenPage = Callable[..., AppTest]


def _forget() -> None:
    memory.clear()
    st.cache_resource.clear()
    readings.forget()
    choices.forget()


@pytest.fixture(autouse=True)
def _figures_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "checked", True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the workspace that pages open in this test."""
    folder = tmp_path / "workspace"
    for setting in SETTINGS:  # whatever surrounds the tests
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.setenv("DASHBOARD_HOME", str(folder))
    _forget()
    yield folder
    _forget()


@pytest.fixture
def local_workspace(home: Path) -> Workspace:
    """The very workspace pages will ask: what a test records or breaks in it, they meet."""
    return session.workspace()


@pytest.fixture
def open_page(local_workspace: Workspace) -> Iterator[OpenPage]:
    """``open_page("dataset", dataset="bank")``: the page in a new session, by its address.

    A script error is in ``page.exception``, with its whole text.
    """
    before = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")

    def open_page(name: str, **address: str) -> AppTest:
        memory.clear()  # the test may have recorded something since the last page
        app = AppTest.from_file(ROOT / "dashboard" / "app.py", default_timeout=60)
        app.query_params.update(address)
        if name != "overview":  # the page at the bare address
            app.switch_page(f"../pages/{name}.py")
        return app.run()

    yield open_page
    config.set_option("client.showErrorDetails", before)
