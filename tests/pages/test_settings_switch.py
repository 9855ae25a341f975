"""Opening an Azure ML workspace on the settings page, and coming back, without a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import choices, session
from services.domain import DataSource, SourceKind, StepOutcome
from tests.azure_double.hand import Double, double
from tests.azure_double.state import CLIENT, RESOURCE_GROUP, SUBSCRIPTION, TENANT, WORKSPACE


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with double(tmp_path_factory.mktemp("azure")) as azure, azure.surroundings():
        source = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=b"a,y\n1,yes\n2,no\n")
        azure.engine.datasets.register("on-azure", source)
        yield azure


@pytest.fixture
def form(azure, open_page):
    """The form, filled in with what the double accepts."""
    page = open_page("settings", part="Switch workspace")
    page.segmented_control(key="settings.backend").set_value("azure").run()
    for key, value in {
        "settings.subscription": SUBSCRIPTION,
        "settings.group": RESOURCE_GROUP,
        "settings.workspace": WORKSPACE,
        "settings.tenant": TENANT,
        "settings.client": CLIENT,
        "settings.secret-0": azure.environment["AZURE_CLIENT_SECRET"],
    }.items():
        page.text_input(key=key).set_value(value)
    return page.run()


def _badge(page: AppTest) -> str:
    return page.sidebar.markdown[0].value


def test_a_test_shows_every_step_and_opens_nothing(form):
    form.button(key="settings.test").click().run()

    assert [step.outcome for step in form.session_state["settings.connection-steps"]] == [
        StepOutcome.PASSED
    ] * 5
    assert "Reads everything" in " ".join(caption.value for caption in form.main.caption)
    assert "LOCAL" in _badge(form)


def test_every_tab_follows_a_switch_and_the_way_back(form, open_page, local_workspace):
    form.button(key="settings.open-azure").click().run()

    assert not form.error
    assert "AZURE" in _badge(form)
    assert WORKSPACE in form.sidebar.markdown[1].value.replace("\\", "")
    assert list(open_page("dataset").dataframe[0].value["Dataset"]) == ["on-azure"]

    back = open_page("settings", part="Switch workspace")
    back.segmented_control(key="settings.backend").set_value("local").run()
    back.button(key="settings.open-local").click().run()

    assert "LOCAL" in _badge(back)
    assert not open_page("dataset").dataframe


def test_a_refused_switch_keeps_what_is_open_and_what_is_remembered(form, home):
    form.text_input(key="settings.secret-0").set_value("wrong").run()

    form.button(key="settings.open-azure").click().run()

    assert "secret is wrong" in form.error[0].value
    assert session.workspace().backend == "local"
    assert not (home / choices.FILE).exists()


def test_the_secret_is_nowhere_after_a_switch(form, azure, home):
    secret = azure.environment["AZURE_CLIENT_SECRET"]

    form.button(key="settings.open-azure").click().run()

    assert "AZURE" in _badge(form)
    assert secret not in repr(form.session_state)
    assert form.text_input(key="settings.secret-1").value == ""
    for path in home.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_the_secret_is_kept_in_a_file_of_its_own_when_asked_for(form, azure, home):
    form.toggle(key="settings.keep").set_value(True).run()

    form.button(key="settings.open-azure").click().run()

    assert (home / choices.SECRET_FILE).read_text() == azure.environment["AZURE_CLIENT_SECRET"]
    assert (home / choices.SECRET_FILE).stat().st_mode & 0o077 == 0


def test_after_a_restart_the_workspace_chosen_last_is_open(form, home):
    form.toggle(key="settings.keep").set_value(True).run()
    form.button(key="settings.open-azure").click().run()

    choices.forget()
    settings = choices.settings()

    assert settings.backend == "azure"
    assert settings.variables["AZURE_ML_WORKSPACE"] == WORKSPACE
