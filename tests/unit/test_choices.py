"""Which workspace to open: chosen here, said by the environment, or remembered."""

from __future__ import annotations

import stat

import pytest

from dashboard import choices
from dashboard.choices import Origin
from dashboard.settings import SETTINGS, Backend
from services.errors import InvalidRequestError, UnavailableError

AZURE = {
    "DASHBOARD_BACKEND": "azure",
    "AZURE_SUBSCRIPTION_ID": "sub",
    "AZURE_RESOURCE_GROUP": "rg",
    "AZURE_ML_WORKSPACE": "ws",
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for setting in SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
        monkeypatch.delenv(setting.alias, raising=False)
    monkeypatch.setenv("DASHBOARD_HOME", str(tmp_path / "home"))
    choices.forget()
    yield tmp_path / "home"
    choices.forget()


def test_a_choice_holds_at_once_and_is_remembered(home):
    choices.choose(AZURE, keep_secret=False)
    assert choices.settings().backend is Backend.AZURE
    assert choices.origins()["DASHBOARD_BACKEND"] is Origin.CHOSEN

    choices.forget()  # as after a restart

    assert choices.settings().variables["AZURE_ML_WORKSPACE"] == "ws"
    assert choices.origins()["DASHBOARD_BACKEND"] is Origin.REMEMBERED


def test_at_the_next_start_the_environment_wins_over_what_was_remembered(monkeypatch):
    choices.choose(AZURE, keep_secret=False)
    choices.forget()

    monkeypatch.setenv("DASHBOARD_BACKEND", "local")

    assert choices.settings().backend is Backend.LOCAL
    assert choices.origins()["DASHBOARD_BACKEND"] is Origin.ENVIRONMENT


def test_a_file_named_by_the_environment_wins_over_ids_remembered(monkeypatch, tmp_path):
    choices.choose(AZURE, keep_secret=False)
    choices.forget()

    monkeypatch.setenv("DASHBOARD_WORKSPACE_CONFIG", str(tmp_path / "other.json"))

    assert "AZURE_ML_WORKSPACE" not in choices.settings().variables


def test_a_secret_lives_in_memory_only_unless_asked_otherwise(home):
    choices.choose({**AZURE, "AZURE_CLIENT_SECRET": "open sesame"}, keep_secret=False)

    assert choices.settings().variables["AZURE_CLIENT_SECRET"] == "open sesame"
    assert all("sesame" not in path.read_text() for path in home.iterdir())
    choices.forget()
    assert "AZURE_CLIENT_SECRET" not in choices.settings().variables


def test_a_secret_to_be_remembered_is_readable_by_this_account_only(home):
    choices.choose({**AZURE, "AZURE_CLIENT_SECRET": "open sesame"}, keep_secret=True)
    choices.forget()

    kept = home / choices.SECRET_FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert choices.settings().variables["AZURE_CLIENT_SECRET"] == "open sesame"
    assert "sesame" not in (home / choices.FILE).read_text()


def test_a_secret_no_longer_to_be_remembered_leaves_its_file(home):
    choices.choose({"AZURE_CLIENT_SECRET": "open sesame"}, keep_secret=True)

    choices.choose(AZURE, keep_secret=False)

    assert not choices.secret_is_kept()


def test_what_is_only_considered_is_not_chosen():
    assert choices.settings(AZURE).backend is Backend.AZURE
    assert choices.settings().backend is Backend.LOCAL


def test_a_choice_can_say_that_there_is_none(monkeypatch):
    monkeypatch.setenv("AZUREML_SERVICE_PRINCIPAL_ID", "somebody")

    choices.choose({"AZURE_CLIENT_ID": ""}, keep_secret=False)

    assert "AZURE_CLIENT_ID" not in choices.settings().variables


def test_a_damaged_file_is_named(home):
    home.mkdir()
    (home / choices.FILE).write_text("{")

    with pytest.raises(UnavailableError, match="dashboard.json"):
        choices.settings()


def test_an_unknown_back_end_is_named(monkeypatch):
    monkeypatch.setenv("DASHBOARD_BACKEND", "gcp")

    with pytest.raises(InvalidRequestError, match="“gcp”"):
        choices.settings()


def test_a_folder_that_cannot_be_written_changes_nothing(home):
    home.write_text("a file where a folder should be")

    with pytest.raises(UnavailableError):
        choices.choose(AZURE, keep_secret=False)

    home.unlink()
    assert choices.settings().backend is Backend.LOCAL
