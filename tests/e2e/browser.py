"""What a test asks of a real browser: open, wait, listen for errors, judge accessibility."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIEWPORT = {"width": 1440, "height": 900}
PATIENCE_MS = 60_000

# What Streamlit draws itself and we cannot change, by rule and the element it is about.
ALLOWED = {
    ("svg-img-alt", "[role=img]"): "marks of st.metric's sparkline, for hovering",
    ("color-contrast", ".react-json-view"): "colours of st.json",
}

SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app || app.dataset.testScriptState !== 'notRunning') return false;
    if (app.dataset.testConnectionState !== 'CONNECTED') return false;
    if (document.querySelector('[data-testid=stSkeleton], [data-stale=true]')) return false;
    const drawn = (parts, inner) =>
        [...document.querySelectorAll(parts)]
            .filter(part => part.checkVisibility())
            .every(part => part.querySelector(inner));
    return drawn('[data-testid=stPlotlyChart]', '.main-svg')
        && drawn('[data-testid=stDataFrame]', 'canvas');
}"""


def executable() -> str | None:
    """The system's own Chromium; nothing is downloaded."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            # Root has no sandbox to run it in, and /dev/shm is small in a container.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """One tab on the dashboard, and everything that went wrong in it so far."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)  # requests for another server

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def open(self, address: str = "/") -> Page:
        """Go to an address of the dashboard and wait until it is drawn."""
        self.page.goto(f"{self.base}{address}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the script has run and everything it sent is on the screen.

        A rerun begins a moment after what caused it, so it has to be settled twice.
        """
        for _ in range(2):
            self.page.wait_for_function(SETTLED, timeout=PATIENCE_MS)
            self.page.wait_for_timeout(150)

    def violations(self) -> list[str]:
        """What axe finds serious or critical, one line each."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:200]}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
            if not self._allowed(violation["id"], node["target"][0])
        ]

    def _allowed(self, rule: str, target: str) -> bool:
        return any(
            rule == allowed
            and self.page.evaluate(
                "([target, part]) => !!document.querySelector(target)?.closest(part)",
                [target, part],
            )
            for allowed, part in ALLOWED
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss"):
            here = urlsplit(self.base)
            if address.netloc != here.netloc:
                self.outside.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.errors.append(f"{response.status} from {response.url}")
