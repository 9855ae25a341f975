"""Settings: which workspace is open, what keeps it going, what it runs on."""

from __future__ import annotations

import json
from importlib.metadata import version

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import formats, session
from services.local import audit


def test_it_opens(open_page):
    page = open_page("settings")

    assert not page.exception
    assert page.title[0].value == "Settings"


def test_an_address_chooses_the_time_window(open_page):
    page = open_page("settings", window="7d")

    assert page.selectbox(key="window").value == "7d"


def test_an_unknown_window_in_an_address_falls_back(open_page):
    page = open_page("settings", window="7000d")

    assert not page.exception
    assert page.selectbox(key="window").value == "24h"


def test_it_names_the_open_workspace_and_its_folder(open_page, home):
    page = open_page("settings")

    assert formats.plain(str(home)) in [text.value for text in page.main.markdown]


def test_every_part_shows_its_state_and_what_to_do(open_page):
    page = open_page("settings")

    text = " ".join(element.value for element in [*page.main.markdown, *page.main.caption])
    assert "Supervisor" in text
    assert "Stopped" in text
    assert "Store" in text
    assert "SQLite" in text


def test_settings_say_where_they_came_from(open_page, home):
    page = open_page("settings", part="Settings")

    rows = page.dataframe[0].value.set_index("Variable")
    assert rows.loc["DASHBOARD_HOME", "Value"] == str(home)
    assert rows.loc["DASHBOARD_HOME", "From"] == "environment"
    assert rows.loc["DASHBOARD_BACKEND", "From"] == "default"


def test_versions_are_those_installed(open_page):
    page = open_page("settings", part="Versions")

    rows = page.dataframe[0].value.set_index("Package")
    assert rows.loc["streamlit", "Version"] == version("streamlit")
    assert rows.loc["azureml-core", "Version"] == version("azureml-core")


def test_a_change_is_listed_with_what_it_did(open_page, local_workspace):
    with local_workspace.store.transaction() as db:
        audit.record(
            db, action="deployment.create", subject="deployment/bank", after={"model": "m:1"}
        )

    page = open_page("settings", part="Changes")

    row = page.dataframe[0].value.iloc[0]
    assert row["Action"] == "deployment.create"
    assert "m:1" in row["After"]


def test_the_form_starts_with_what_is_in_force(open_page, monkeypatch):
    monkeypatch.setenv("AZURE_ML_WORKSPACE", "ws-churn")

    page = _switching(open_page)

    assert page.text_input(key="settings.workspace").value == "ws-churn"
    assert "`AZURE_ML_WORKSPACE`" in " ".join(caption.value for caption in page.main.caption)


def test_an_incomplete_form_is_refused_and_the_local_workspace_stays(open_page):
    page = _switching(open_page)

    page.button(key="settings.open-azure").click().run()

    assert "subscription_id" in page.error[0].value
    assert session.workspace().backend == "local"


def test_a_config_file_that_names_no_workspace_is_explained(open_page, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"subscription_id": "1", "resource_group": "rg"}))
    page = _switching(open_page)
    page.segmented_control(key="settings.how").set_value("Path of config.json").run()

    page.text_input(key="settings.path").set_value(str(config)).run()
    page.button(key="settings.open-azure").click().run()

    assert "workspace_name" in page.error[0].value


def test_a_secret_is_never_written_into_the_page_again(open_page, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "open sesame")

    page = _switching(open_page)
    table = open_page("settings", part="Settings")

    assert page.text_input(key="settings.secret-0").value == ""
    rows = table.dataframe[0].value.set_index("Variable")
    assert rows.loc["AZURE_CLIENT_SECRET", "Value"] == "set, never shown"


def test_a_workspace_that_cannot_be_opened_is_replaced_on_this_page(open_page, monkeypatch):
    monkeypatch.setenv("DASHBOARD_BACKEND", "azure")
    st.cache_resource.clear()
    page = open_page("settings", part="Switch workspace")
    assert "NOT OPEN" in page.sidebar.markdown[0].value
    page.segmented_control(key="settings.backend").set_value("local").run()

    page.button(key="settings.open-local").click().run()

    assert "LOCAL" in page.sidebar.markdown[0].value
    assert not page.error


def _switching(open_page) -> AppTest:
    page = open_page("settings", part="Switch workspace")
    return page.segmented_control(key="settings.backend").set_value("azure").run()
