"""Settings come from the environment, and say so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.settings import CLOUDS, SETTINGS, SIGN_INS, Backend, Settings
from services.azure.sign_in import Cloud, SignIn
from tests.source_files import python_files

PATTERN = (
    r"[\"'](DASHBOARD_[A-Z_]+|AZURE(?:ML)?_[A-Z_]+_(?:ID|SECRET|PASSWORD|GROUP|WORKSPACE))[\"']"
)


def test_without_a_variable_everything_has_a_default():
    settings = Settings.from_env({})

    assert settings.backend is Backend.LOCAL
    assert settings.home == Path("~/.azureml-dashboard").expanduser()


def test_an_empty_variable_counts_as_not_set():
    assert Settings.from_env({"DASHBOARD_HOME": ""}) == Settings.from_env({})


def test_paths_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert Settings.from_env({"DASHBOARD_HOME": "mine"}).home == tmp_path / "mine"


def test_an_unknown_back_end_is_named():
    with pytest.raises(ValueError, match="“gcp”"):
        Settings.from_env({"DASHBOARD_BACKEND": "gcp"})


def test_no_setting_is_read_behind_the_list():
    """Or it would be missing from the Settings page and from the README."""
    named = {
        name
        for path in python_files("dashboard", "pages", "services/local", "services/azure")
        for name in re.findall(PATTERN, path.read_text("utf-8"))
    }
    assert named <= {setting.variable for setting in SETTINGS} | {each.alias for each in SETTINGS}


def test_the_names_a_form_offers_are_those_the_adapter_knows():
    assert list(SIGN_INS) == list(SignIn)
    assert list(CLOUDS) == list(Cloud)


def test_a_script_of_sdk_v1_and_the_dashboard_read_the_same_variables():
    settings = Settings.from_env({"AZUREML_SERVICE_PRINCIPAL_PASSWORD": "open sesame"})

    assert settings.variables["AZURE_CLIENT_SECRET"] == "open sesame"
    assert "sesame" not in repr(settings)
