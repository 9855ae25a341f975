"""The frame around every page."""

from __future__ import annotations

import pytest
import streamlit as st

from dashboard import navigation
from services.domain import Component, ComponentState
from services.errors import UnavailableError

PAGES = [page.file for page in navigation.REGISTRY]


def _supervisor(state: ComponentState) -> tuple[Component, ...]:
    return (Component(name="supervisor", state=state, detail="It is resting."),)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_workspace_opens_every_page_with_its_badge(open_page, name):
    page = open_page(name)

    assert not page.exception
    assert "LOCAL" in page.sidebar.markdown[0].value


def test_without_a_supervisor_every_page_says_so(open_page, local_workspace, monkeypatch):
    monkeypatch.setattr(local_workspace, "components", lambda: _supervisor(ComponentState.STOPPED))

    page = open_page("settings")

    assert page.warning[0].value == "It is resting."


def test_with_a_supervisor_nothing_is_said(open_page, local_workspace, monkeypatch):
    monkeypatch.setattr(local_workspace, "components", lambda: _supervisor(ComponentState.RUNNING))

    assert not open_page("settings").warning


def test_an_outage_is_a_sentence_not_a_traceback(open_page, local_workspace, monkeypatch):
    def outage() -> tuple[Component, ...]:
        raise UnavailableError("The workspace did not answer.")

    monkeypatch.setattr(local_workspace, "components", outage)

    page = open_page("settings")

    assert not page.exception
    assert "did not answer" in page.warning[0].value


def test_a_workspace_that_cannot_be_opened_says_what_is_missing_and_where_to_choose(
    open_page, monkeypatch
):
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    st.cache_resource.clear()

    page = open_page("dataset")

    assert not page.exception
    assert "subscription_id" in page.error[0].value
    assert "NOT OPEN" in page.sidebar.markdown[0].value
