"""Stands between ``ab`` and a deployment that lives elsewhere, and adds its key.

``ab`` takes a header only as an argument, which everybody on this machine can read, and it
speaks neither to proxies with TLS nor keeps what it should verify. It talks to this relay
with a word that is worthless after the test; the relay talks to the deployment, over
connections it keeps, with the certificate verified and the proxies of its environment.

Started by ``load_test_target``: ``python -m services.local.scoring_relay``. The first line
of standard input says where to and with which key; its port is the only line it prints.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from services.local import lifeline

if TYPE_CHECKING:
    from urllib3 import PoolManager

HEAD_LIMIT_BYTES = 65_536
OVERHEAD_PATH = "/overhead"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
OF_ONE_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "host"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where requests go, and who may send them."""

    uri: str
    key: str | None = field(repr=False)
    credential: str = field(repr=False)
    timeout_s: float
    connections: int


@dataclass(slots=True)
class Overhead:
    """How long requests spent in here, beside waiting for the deployment."""

    count: int = 0
    total_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, spent_s: float) -> None:
        with self.lock:
            self.count += 1
            self.total_s += spent_s

    def document(self) -> bytes:
        with self.lock:
            mean_ms = self.total_s / self.count * 1000 if self.count else 0.0
            return json.dumps({"count": self.count, "mean_ms": mean_ms}).encode()


class Relay:
    """One thread per connection ``ab`` keeps, each with a connection to the deployment."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._pool = _pool(route)
        self._overhead = Overhead()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def serve(self) -> None:
        threads = [
            threading.Thread(target=self._accept, daemon=True)
            for _ in range(self._route.connections + 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            peer, _ = self._listening.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with peer, peer.makefile("rb") as incoming:
                try:
                    while self._one(peer, incoming):
                        pass
                except OSError:  # it hung up, as a stopped ab does
                    continue

    def _one(self, peer: socket.socket, incoming: BinaryIO) -> bool:
        """Answer one request; whether the connection is kept for another."""
        line = incoming.readline(HEAD_LIMIT_BYTES)
        if not line:
            return False
        began = time.perf_counter()
        method, target, version = line.decode("latin-1").split(" ", 2)
        headers = _headers(incoming)
        body = incoming.read(int(headers.get("content-length") or 0))
        asked = headers.get("connection", "").lower()
        keep = asked == "keep-alive" or (version.startswith("HTTP/1.1") and asked != "close")
        waited_s = 0.0
        answered: dict[str, str] = {}
        if not self._authorized(headers):
            status, content = 401, b'{"message": "Not this load test."}'
        elif target == OVERHEAD_PATH:
            status, content = 200, self._overhead.document()
        else:
            asked_at = time.perf_counter()
            status, answered, content = self._forward(method, headers, body)
            waited_s = time.perf_counter() - asked_at
        peer.sendall(_written(status, answered, content, keep))
        if waited_s:
            self._overhead.add(time.perf_counter() - began - waited_s)
        return keep

    def _authorized(self, headers: dict[str, str]) -> bool:
        wanted = f"Bearer {self._route.credential}"
        return hmac.compare_digest(headers.get("authorization", "").encode(), wanted.encode())

    def _forward(
        self, method: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        import urllib3

        sent = {name: value for name, value in headers.items() if name not in OF_ONE_HOP}
        sent.pop("authorization", None)
        if self._route.key:
            sent["authorization"] = f"Bearer {self._route.key}"
        try:
            answer = self._pool.request(
                method,
                self._route.uri,
                body=body,
                headers=sent,
                timeout=self._route.timeout_s,
                retries=False,
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.NewConnectionError:  # one of the timeouts, to urllib3
            return 502, {}, _said("the deployment did not take the connection")
        except urllib3.exceptions.TimeoutError:
            return 504, {}, _said("the deployment did not answer in time")
        except urllib3.exceptions.SSLError:
            return 502, {}, _said("the deployment's certificate was not accepted")
        except urllib3.exceptions.HTTPError:
            return 502, {}, _said("the deployment broke the connection")
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in OF_ONE_HOP}
        return answer.status, kept, answer.data


def _pool(route: Route) -> PoolManager:
    """Kept connections, certificates verified, by the proxy this environment names."""
    import certifi
    import urllib3
    from requests.utils import get_environ_proxies, select_proxy

    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    settings: dict[str, Any] = {
        "num_pools": 2,
        "maxsize": route.connections + 2,
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": trusted or certifi.where(),
        # urllib3 leaves it out towards proxies: small requests would wait 40 ms.
        "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    }
    if urlsplit(route.uri).hostname in LOOPBACK:
        return urllib3.PoolManager(**settings)
    proxy = select_proxy(route.uri, get_environ_proxies(route.uri))
    return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)


def _headers(incoming: BinaryIO) -> dict[str, str]:
    """Names in lower case."""
    headers: dict[str, str] = {}
    while (line := incoming.readline(HEAD_LIMIT_BYTES)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _written(status: int, headers: dict[str, str], content: bytes, keep: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Answered'}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [
        f"Content-Length: {len(content)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def _said(why: str) -> bytes:
    return json.dumps({"error": why}).encode()


def main() -> int:
    route = Route(**json.loads(sys.stdin.buffer.readline()))
    lifeline.follow()
    relay = Relay(route)
    sys.stdout.write(f"{relay.port}\n")
    sys.stdout.flush()
    relay.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
