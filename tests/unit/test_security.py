"""What a page may load is decided by headers on every response."""

from __future__ import annotations

import base64
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard import front_page
from dashboard.security import SecurityHeaders, content_security_policy


@pytest.fixture
def client():
    async def page(_):
        return PlainTextResponse("page")

    async def framed(_):
        return PlainTextResponse("framed", headers={"X-Frame-Options": "SAMEORIGIN"})

    app = Starlette(routes=[Route("/", page), Route("/framed", framed)])
    app.add_middleware(SecurityHeaders)
    return TestClient(app)


def test_a_page_loads_from_here_only_and_is_framed_by_nobody(client):
    headers = client.get("/").headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_response_keeps_the_headers_it_brings(client):
    assert client.get("/framed").headers["x-frame-options"] == "SAMEORIGIN"


def test_an_inline_script_is_allowed_by_its_own_hash_alone():
    policy = content_security_policy("<script>\n  a = 1\n</script><script src='x.js'></script>")

    digest = base64.b64encode(hashlib.sha256(b"\n  a = 1\n").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_the_front_page_has_two_inline_scripts_and_both_are_allowed():
    assert content_security_policy(front_page.page("x")).count("'sha256-") == 2
