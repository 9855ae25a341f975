"""The browser's files, compressed once in memory: a third of the bytes on a first visit.

Streamlit serves its bundle as it is. Compressing a file while somebody waits for it
would cost more than it saves, so everything is compressed by a background thread when
the server starts, and until then files go out as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import brotli
import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUNDLE = Path(streamlit.__file__).parent / "static" / "static"
TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
SMALLEST_BYTES = 1024
QUALITY = 5  # the whole bundle in under a second of CPU
FOREVER = b"public, immutable, max-age=31536000"  # file names carry a hash of the contents


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    type: bytes


class CompressedFiles:
    """The compressed copies, by request path. Filled by one thread, read by the server."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def compress(self, bundle: Path = BUNDLE, prefix: str = "/static") -> int:
        """Compress every script and style under `bundle`; answers how many there are."""
        for path in sorted(bundle.rglob("*")):
            if path.suffix in TYPES and path.stat().st_size >= SMALLEST_BYTES:
                body = brotli.compress(path.read_bytes(), quality=QUALITY)
                address = f"{prefix}/{path.relative_to(bundle).as_posix()}"
                self._files[address] = _File(body, TYPES[path.suffix])
        return len(self._files)

    def get(self, address: str) -> _File | None:
        return self._files.get(address)


class Compression:
    """Answers a request for a compressed file itself, and lets everything else pass."""

    def __init__(self, app: ASGIApp, *, files: CompressedFiles) -> None:
        self._app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = None
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            file = self._files.get(scope["path"])
        if file is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not _accepts_brotli(headers.get("accept-encoding", "")) or "range" in headers:
            await self._app(scope, receive, _varying(send))
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", file.type),
                    (b"content-encoding", b"br"),
                    (b"content-length", str(len(file.body)).encode()),
                    (b"cache-control", FOREVER),
                    (b"vary", b"Accept-Encoding"),
                ],
            }
        )
        body = b"" if scope["method"] == "HEAD" else file.body
        await send({"type": "http.response.body", "body": body})


def _varying(send: Send) -> Send:
    """A cache must not give the plain copy to whoever could have had the other."""

    async def send_varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return send_varying


def _accepts_brotli(accepted: str) -> bool:
    for choice in accepted.lower().split(","):
        name, _, weight = choice.strip().partition(";")
        if name.strip() == "br":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
