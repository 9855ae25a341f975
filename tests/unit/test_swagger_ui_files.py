"""Swagger UI is served as its makers published it: swagger-ui-dist 5.35.0 on npm."""

from __future__ import annotations

import hashlib

import pytest

from dashboard.shell import STATIC

PUBLISHED = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_is_unchanged(name):
    content = (STATIC / "swagger-ui" / name).read_bytes()

    assert hashlib.sha256(content).hexdigest() == PUBLISHED[name]
