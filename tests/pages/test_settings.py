"""Settings: which workspace is open, what keeps it going, what it runs on."""

from __future__ import annotations

from importlib.metadata import version

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

    assert f"`{home}`" in [text.value for text in page.main.markdown]


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


def test_it_says_plainly_that_this_release_does_not_open_azure(open_page):
    page = open_page("settings", part="Azure workspace")

    text = " ".join(element.value for element in page.main.markdown)
    assert "local workspaces only" in text


def test_a_config_file_that_names_no_workspace_is_explained(open_page, tmp_path, monkeypatch):
    config = tmp_path / "config.json"
    config.write_text('{"subscription_id": "1", "resource_group": "rg"}')
    monkeypatch.setenv("DASHBOARD_WORKSPACE_CONFIG", str(config))

    page = open_page("settings", part="Azure workspace")

    assert any("workspace_name" in warning.value for warning in page.warning)
