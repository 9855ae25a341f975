"""Signing in with OpenID Connect, and what each role may do, in a real browser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from services.local.workspace import open_workspace
from tests import identity_provider, scoring_models
from tests.e2e import browser as browsers
from tests.e2e import running
from tests.e2e.running import Running
from tests.identity_provider import CLIENT, SECRET, Provider
from tests.recorded import datasets

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with identity_provider.identity_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def guarded(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dashboard that lets in only whom its roles name."""
    folder = tmp_path_factory.mktemp("guarded")
    port = running.free_port()
    (folder / ".streamlit").mkdir()
    secret_file = folder / ".streamlit" / "secrets.toml"
    secret_file.write_text(
        f"""
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{secrets.token_urlsafe(32)}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{provider.metadata_url}"

[roles]
admin = ["eve@example.org"]
operator = ["*@ops.example.org"]
viewer = ["*@example.org"]
"""
    )
    home = folder / "workspace"
    workspace = open_workspace(home)
    datasets.people(workspace)
    scoring_models.register(workspace.home, workspace.store, "bank:1", "logistic")
    workspace.deployments.begin_create("bank", "bank:1")
    surroundings = {"HOME": str(folder)}  # where Streamlit looks for its secrets
    with running.dashboard(
        home, folder / "dashboard.log", port=port, surroundings=surroundings
    ) as started:
        yield started


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=browsers.VIEWPORT)
    yield context.new_page()
    context.close()


def signs_in(page: Page, guarded: Running, provider: Provider, email: str) -> None:
    provider.claims = {"email": email, "email_verified": True, "name": email.split("@")[0]}
    page.goto(f"{guarded.base}/dataset")
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE_MS)


def test_nothing_of_the_workspace_is_shown_before_signing_in(page, guarded):
    page.goto(f"{guarded.base}/dataset")

    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
    assert "LOCAL" not in page.inner_text("body")
    assert "bank" not in page.inner_text("body")


def test_a_viewer_reads_and_is_refused_a_change(page, guarded, provider):
    signs_in(page, guarded, provider, "ann@example.org")
    expect(page.get_by_text("ann@example.org · viewer")).to_be_visible(timeout=PATIENCE_MS)

    page.goto(f"{guarded.base}/deployment_health?deployment=bank")
    page.get_by_text("Show", exact=True).first.click(timeout=PATIENCE_MS)
    refusal = page.get_by_text("Your role, viewer, does not allow this").first
    expect(refusal).to_be_visible(timeout=PATIENCE_MS)

    noted = open_workspace(guarded.home).audit.list()
    assert ("ann@example.org", "access.refused") in {(each.actor, each.action) for each in noted}


def test_somebody_without_a_role_gets_a_sentence_and_the_way_out(page, guarded, provider):
    signs_in(page, guarded, provider, "mallory@elsewhere.net")

    expect(page.get_by_text("mallory@elsewhere.net has no role")).to_be_visible(timeout=PATIENCE_MS)
    assert "LOCAL" not in page.inner_text("body")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)


def test_an_unverified_address_is_not_believed(page, guarded, provider):
    provider.claims = {"email": "eve@example.org", "email_verified": False}
    page.goto(f"{guarded.base}/")
    page.get_by_role("button", name="Sign in").click(timeout=PATIENCE_MS)

    expect(page.get_by_text("has not been verified")).to_be_visible(timeout=PATIENCE_MS)


def test_an_admin_sees_everything(page, guarded, provider):
    signs_in(page, guarded, provider, "eve@example.org")

    expect(page.get_by_text("eve@example.org · admin")).to_be_visible(timeout=PATIENCE_MS)
    assert "LOCAL" in page.inner_text("body")
