"""Settings come from the environment, and say so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard import session
from dashboard.settings import SETTINGS, Backend, Settings
from services.errors import InvalidRequestError
from tests.source_files import python_files


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


def test_azure_is_refused_plainly():
    with pytest.raises(InvalidRequestError, match="local workspaces only"):
        session.open_workspace(Settings.from_env({"DASHBOARD_BACKEND": "azure"}))


def test_origin_tells_a_default_from_a_choice():
    backend = SETTINGS[0]

    assert backend.origin({}) == "default"
    assert backend.origin({"DASHBOARD_BACKEND": "local"}) == "environment"


def test_no_setting_is_read_behind_the_list():
    """Or it would be missing from the Settings page and from the README."""
    named = {
        name
        for path in python_files("dashboard", "pages", "services/local")
        for name in re.findall(r"[\"'](DASHBOARD_[A-Z_]+)[\"']", path.read_text("utf-8"))
    }
    assert named <= {setting.variable for setting in SETTINGS}
