"""Where secrets could have ended up, read as a whole: screens, files, tables, processes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil
from playwright.sync_api import Page, WebSocket

from services.local.workspace import LocalWorkspace

# The one place where each kind is kept, so that it can be shown and used.
KEPT = {
    ("deployments", "primary_key"),
    ("deployments", "secondary_key"),
    ("deployments", "next_primary_key"),
    ("deployments", "next_secondary_key"),
    ("settings", "pipelines_rest_token"),
}
DATABASES = ("workspace.db", "telemetry.duckdb")  # read through their tables instead
TELEMETRY = ("requests", "traces", "exceptions", "customEvents", "availabilityResults")

ON_SCREEN = """() => [
    document.documentElement.outerHTML,
    ...[...document.querySelectorAll('input, textarea')].map(each => each.value),
    JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, location.href,
].join('\\n')"""


def on_screen(page: Page) -> str:
    """All a page holds, drawn or not: its document, fields, storage, cookies and address."""
    text: str = page.evaluate(ON_SCREEN)
    return text


def received(page: Page) -> list[bytes]:
    """What the server sends to this page from now on; the list grows."""
    frames: list[bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append(_bytes(frame)))

    page.on("websocket", listen)
    return frames


def in_files(home: Path, secrets: Iterable[str], *more: Path) -> list[str]:
    """Files of the workspace, its logs among them, that hold one of these."""
    files = [path for path in home.rglob("*") if path.is_file()]
    wanted = [secret.encode() for secret in secrets]
    return [
        str(path)
        for path in (*files, *more)
        if not path.name.startswith(DATABASES)
        if any(secret in path.read_bytes() for secret in wanted)
    ]


def in_tables(home: Path, secrets: Iterable[str]) -> list[str]:
    """Columns of the store that hold one of these and are not their place."""
    wanted = list(secrets)
    with contextlib.closing(sqlite3.connect(home / "workspace.db")) as db:
        db.row_factory = sqlite3.Row
        return [
            f"{table}.{column}"
            for table in _tables(db)
            for row in db.execute(f'SELECT * FROM "{table}"')
            for column, value in zip(row.keys(), tuple(row), strict=True)
            if (table, row["name"] if table == "settings" else column) not in KEPT
            if any(secret in str(value) for secret in wanted)
        ]


def in_telemetry(workspace: LocalWorkspace, secrets: Iterable[str]) -> list[str]:
    """Tables of what was recorded that hold one of these."""
    wanted = list(secrets)
    found = []
    for table in TELEMETRY:
        text = workspace.telemetry.query(f"{table} | take 10000").frame.to_csv()
        found += [table for secret in wanted if secret in text]
    return found


def in_processes(family: Iterable[psutil.Process], secrets: Iterable[str]) -> list[str]:
    """Command lines and environments that hold one of these."""
    wanted = list(secrets)
    return [name for name, text in _told(family) if any(secret in text for secret in wanted)]


def _told(family: Iterable[psutil.Process]) -> Iterator[tuple[str, str]]:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            told: Mapping[str, str] = process.environ()
            yield process.name(), " ".join([*process.cmdline(), *told.values()])


def _tables(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [row["name"] for row in rows]


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
