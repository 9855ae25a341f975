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

    assert text.index("BACKEND_BASE_URL") < text.index('type="module"')
    assert "SourceSans" not in text


def test_the_first_paint_is_in_our_colours_and_our_font():
    text = front_page.page("x")

    assert '"backgroundColor": "#0b0b0f"' in text[text.index("DARK_THEME") :]
    assert '"bodyFont": "Inter, sans-serif"' in text[text.index("LIGHT_THEME") :]


def test_a_page_that_did_not_change_is_not_sent_again(client):
    first = client.get("/models")

    again = client.get("/models", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("accepted", ["br", "identity"])
def test_the_page_is_the_same_compressed_or_not(client, accepted):
    answer = client.get("/models", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("content-encoding", "identity") == accepted
    assert answer.text == front_page.page("Models · Azure ML operator")


def test_a_title_is_text():
    assert "<title>&lt;b&gt;</title>" in front_page.page("<b>")


def test_the_first_page_has_one_address_and_keeps_what_is_asked(client):
    answer = client.get("/overview?window=7d")

    assert answer.headers["location"] == "/?window=7d"
