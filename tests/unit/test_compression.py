"""Compressed copies go only to those who can read them."""

from __future__ import annotations

import brotli
import pytest
from fontTools.ttLib import TTFont
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.compression import OWN_FONTS, CompressedFiles, Compression
from tests.icon_font import ligatures, names_in_use, original

SCRIPT = "console.log('a long enough script');" * 100


@pytest.fixture
def client(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "page.js").write_text(SCRIPT)
    (tmp_path / "js" / "tiny.js").write_text("1")
    (tmp_path / original().name).write_bytes(b"Streamlit's")
    files = CompressedFiles()
    files.compress(tmp_path)

    async def plain(_):
        return PlainTextResponse(SCRIPT)

    app = Starlette(routes=[Route("/static/{path:path}", plain)])
    app.add_middleware(Compression, files=files)
    return TestClient(app)


def _raw(client, address, accepted):
    with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_browser_that_reads_brotli_gets_the_small_copy(client):
    answer, body = _raw(client, "/static/js/page.js", "gzip, br")

    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert len(body) < len(SCRIPT) / 4
    assert brotli.decompress(body).decode() == SCRIPT


@pytest.mark.parametrize("accepted", ["gzip", "identity", "br;q=0", ""])
def test_others_get_the_file_as_it_is_and_caches_are_told(client, accepted):
    answer, body = _raw(client, "/static/js/page.js", accepted)

    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["vary"]
    assert body.decode() == SCRIPT


def test_a_part_of_a_file_is_never_a_part_of_its_compressed_copy(client):
    answer = client.get(
        "/static/js/page.js", headers={"Accept-Encoding": "br", "Range": "bytes=0-1"}
    )

    assert "content-encoding" not in answer.headers


def test_a_file_too_small_to_gain_anything_passes_through(client):
    answer, _ = _raw(client, "/static/js/tiny.js", "br")

    assert "content-encoding" not in answer.headers


def test_asking_for_the_headers_alone_sends_no_body(client):
    answer = client.head("/static/js/page.js", headers={"Accept-Encoding": "br"})

    assert int(answer.headers["content-length"]) > 0
    assert answer.content == b""


@pytest.mark.parametrize("accepted", ["gzip, br", "identity"])
def test_the_icon_font_is_replaced_by_the_one_with_the_icons_in_use(client, accepted):
    answer, body = _raw(client, f"/static/{original().name}", accepted)

    assert answer.headers["content-type"] == "font/woff2"
    assert body == (OWN_FONTS / original().name).read_bytes()
    assert len(body) < original().stat().st_size / 5


def test_the_icon_font_is_asked_for_again_and_sent_once(client):
    address = f"/static/{original().name}"
    first = client.get(address)

    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_every_icon_in_use_is_in_the_icon_font():
    ours = ligatures(TTFont(OWN_FONTS / original().name))
    theirs = ligatures(TTFont(original()))

    missing = (names_in_use() & theirs.keys()) - ours.keys()

    assert not missing, f"`make icons` adds {', '.join(sorted(missing))}"
    assert {"monitoring", "play_arrow", "expand_more"} <= ours.keys()
