"""One connection to where telemetry is taken in, through the proxy where one is set.

A proxy set for the internet cannot reach this machine's own loopback, so that is never asked
through one.
"""

from __future__ import annotations

import base64
import http.client
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import orjson

from services.app_insights.connection import Connection


class Posting:
    """Kept open between posts, and made anew when it broke."""

    def __init__(self) -> None:
        self._to = ""
        self._open: http.client.HTTPConnection | None = None
        self._prefix = ""  # of the path, where a proxy wants the whole address
        self._headers: dict[str, str] = {}

    def post(
        self, connection: Connection, body: bytes, *, name: str, attempt: int, timeout_s: float
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        """Status, headers and body of the answer.

        Args:
            body: JSON lines.
            name: of this post, the same each time it is repeated.
            attempt: 1 the first time.

        Raises:
            OSError, http.client.HTTPException: no answer came.
        """
        reused = self._open is not None and self._to == connection.ingestion_endpoint
        try:
            return self._attempt(connection, body, name, attempt, timeout_s)
        except (http.client.HTTPException, ConnectionError):
            self.close()
            if not reused:
                raise
        # An idle connection the service had closed: nobody's fault.
        return self._attempt(connection, body, name, attempt + 1, timeout_s)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _attempt(
        self, connection: Connection, body: bytes, name: str, attempt: int, timeout_s: float
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        parts = urlsplit(connection.ingestion_endpoint)
        if self._open is None or self._to != connection.ingestion_endpoint:
            self.close()
            self._connect(parts, timeout_s)
            self._to = connection.ingestion_endpoint
        assert self._open is not None
        self._open.timeout = timeout_s
        if self._open.sock is not None:
            self._open.sock.settimeout(timeout_s)
        headers = {
            **self._headers,
            "Content-Type": "application/x-json-stream",
            "X-Batch-Id": name,
            "X-Batch-Attempt": str(attempt),
        }
        target = f"{self._prefix}{parts.path}v2.1/track"
        try:
            self._open.request("POST", target, body=body, headers=headers)
            answer = self._open.getresponse()
            return answer.status, answer.headers, _object(answer.read())
        except OSError:  # timed out: its answer, should it come, belongs to nobody
            self.close()
            raise

    def _connect(self, parts: SplitResult, timeout_s: float) -> None:
        secure = parts.scheme == "https"
        self._prefix, self._headers = "", {}
        proxy = proxy_for(parts)
        if proxy is None:
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            self._open = kind(parts.netloc, timeout=timeout_s)
            return
        credentials = _credentials(proxy)
        host, port = proxy.hostname or "", proxy.port
        if secure:
            self._open = http.client.HTTPSConnection(host, port, timeout=timeout_s)
            self._open.set_tunnel(parts.hostname or "", parts.port or 443, headers=credentials)
            return
        self._open = http.client.HTTPConnection(host, port, timeout=timeout_s)
        self._prefix, self._headers = f"{parts.scheme}://{parts.netloc}", credentials


def proxy_for(parts: SplitResult) -> SplitResult | None:
    """The proxy the environment names for an address; None where it is asked directly.

    Source: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` as `urllib.request` reads them.
    """
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return None
    from urllib.request import getproxies, proxy_bypass  # not needed on loopback

    found = getproxies().get(parts.scheme)
    if not found or proxy_bypass(parts.netloc):
        return None
    return urlsplit(found if "//" in found else f"http://{found}")


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
