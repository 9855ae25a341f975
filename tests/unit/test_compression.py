"""Compressed copies go only to those who can read them."""

from __future__ import annotations

import brotli
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.compression import CompressedFiles, Compression

SCRIPT = "console.log('a long enough script');" * 100


@pytest.fixture
def client(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "page.js").write_text(SCRIPT)
    (tmp_path / "js" / "tiny.js").write_text("1")
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
