"""The first bytes a browser gets."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import front_page, navigation
from dashboard.routes_pages import routes


@pytest.fixture
def client():
    return TestClient(Starlette(routes=list(routes)), follow_redirects=False)


@pytest.mark.parametrize("page", navigation.REGISTRY[1:], ids=lambda page: page.file)
def test_every_page_has_its_title_from_the_start(client, page):
    answer = client.get(f"/{page.file}?deployment=bank")

    assert answer.status_code == 200
    assert f"<title>{page.title} · " in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_the_browser_need_not_search_for_its_server():
    text = front_page.page("x")

    assert text.index(front_page.SCRIPT) < text.index('type="module"')
    assert "SourceSans" not in text


def test_a_title_is_text():
    assert "<title>&lt;b&gt;</title>" in front_page.page("<b>")


def test_the_first_page_has_one_address_and_keeps_what_is_asked(client):
    answer = client.get("/overview?window=7d")

    assert answer.headers["location"] == "/?window=7d"
