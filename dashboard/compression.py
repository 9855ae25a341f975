"""The browser's files, made small once: a quarter of the bytes on a first visit.

Streamlit serves its bundle as it is. Compressing a file while somebody waits for it
would cost more than it saves, so everything is compressed by a background thread when
the server starts, and until then files go out as they are. Its icon font holds four
thousand icons; ours, of the same name, those that are drawn (`make icons`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import brotli
import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUNDLE = Path(streamlit.__file__).parent / "static" / "static"
OWN_FONTS = Path(__file__).parent / "static" / "fonts"
TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
SMALLEST_BYTES = 1024
QUALITY = 5  # the whole bundle in under a second of CPU
FOREVER = b"public, immutable, max-age=31536000"  # file names carry a hash of the contents
ASK_AGAIN = b"no-cache"  # a name carries the hash of what we put something smaller in place of


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    tag: str = ""  # of one to be asked for again


class CompressedFiles:
    """The compressed copies, by request path. Filled by one thread, read by the server."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def compress(self, bundle: Path = BUNDLE, prefix: str = "/static") -> int:
        """Make every script, style and icon font small; answers how many there are."""
        own = {path.name: path for path in OWN_FONTS.iterdir()}
        for path in sorted(bundle.rglob("*"), key=lambda path: path.suffix in TYPES):
            address = f"{prefix}/{path.relative_to(bundle).as_posix()}"
            if path.name in own:
                self._files[address] = _font(own[path.name].read_bytes())
            elif path.suffix in TYPES and path.stat().st_size >= SMALLEST_BYTES:
                self._files[address] = _compressed(path)
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
        unreadable = not file.tag and not accepts_brotli(headers.get("accept-encoding", ""))
        if unreadable or "range" in headers:
            await self._app(scope, receive, _varying(send))
            return
        known = file.tag and file.tag in headers.get("if-none-match", "")
        body = b"" if known or scope["method"] == "HEAD" else file.body
        length = [] if known else [(b"content-length", str(len(file.body)).encode())]
        await send(
            {
                "type": "http.response.start",
                "status": 304 if known else 200,
                "headers": [*file.headers, *length],
            }
        )
        await send({"type": "http.response.body", "body": body})


def _compressed(path: Path) -> _File:
    return _File(
        brotli.compress(path.read_bytes(), quality=QUALITY),
        (
            (b"content-type", TYPES[path.suffix]),
            (b"content-encoding", b"br"),
            (b"cache-control", FOREVER),
            (b"vary", b"Accept-Encoding"),
        ),
    )


def _font(body: bytes) -> _File:
    tag = entity_tag(body)
    return _File(
        body,
        (
            (b"content-type", b"font/woff2"),
            (b"cache-control", ASK_AGAIN),
            (b"etag", tag.encode()),
        ),
        tag,
    )


def entity_tag(body: bytes) -> str:
    """Weak, as the compressed copy has the same."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'


def _varying(send: Send) -> Send:
    """A cache must not give the plain copy to whoever could have had the other."""

    async def send_varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return send_varying


def accepts_brotli(accepted: str) -> bool:
    """Whether an Accept-Encoding header names it, and not to refuse it."""
    for choice in accepted.lower().split(","):
        name, _, weight = choice.strip().partition(";")
        if name.strip() == "br":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
