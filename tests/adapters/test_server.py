"""The running server: what surrounds the pages."""

from __future__ import annotations

import time

import pytest
import requests

from tests.e2e.running import dashboard

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with dashboard(folder / "workspace", folder / "dashboard.log") as running:
        yield running


def test_health_answers(started):
    assert requests.get(f"{started.base}/_stcore/health", timeout=10).text == "ok"


@pytest.mark.parametrize("path", ["/", "/dataset", "/no-such-page", "/_stcore/health"])
def test_every_answer_carries_the_policy(started, path):
    headers = requests.get(f"{started.base}{path}", timeout=10).headers

    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


def test_a_name_from_elsewhere_is_refused(started):
    answer = requests.get(f"{started.base}/", headers={"Host": "evil.example"}, timeout=10)

    assert answer.status_code == 400


def test_the_fonts_come_from_here(started):
    answer = requests.get(
        f"{started.base}/app/static/fonts/inter-latin-wght-normal.woff2", timeout=10
    )

    assert answer.status_code == 200
    assert answer.content[:4] == b"wOF2"


def test_scripts_are_compressed_soon_after_the_start(started):
    page = requests.get(f"{started.base}/", timeout=10).text
    script = next(part for part in page.split('"') if part.startswith("./static/js/index."))
    address = f"{started.base}{script.removeprefix('.')}"

    deadline = time.monotonic() + LIMIT_S
    encoding = None
    while encoding != "br" and time.monotonic() < deadline:
        answer = requests.get(address, headers={"Accept-Encoding": "br"}, stream=True, timeout=10)
        encoding = answer.headers.get("Content-Encoding")
        answer.close()
        time.sleep(0.1)

    assert encoding == "br"
