"""Scoring peers that misbehave, one on a loopback socket at a time."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _never(peer: socket.socket) -> None:
    time.sleep(30)


def _drop_by_drop(peer: socket.socket) -> None:
    peer.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    for _ in range(300):
        peer.sendall(b"[")
        time.sleep(0.1)


def _without_end(peer: socket.socket) -> None:
    peer.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.sendall(b"100000\r\n" + b"[" * 0x100000 + b"\r\n")


def _says(content: bytes) -> Callable[[socket.socket], None]:
    return lambda peer: peer.sendall(content)


def _body(content: bytes) -> Callable[[socket.socket], None]:
    return _says(OK + b"Content-Length: %d\r\n\r\n" % len(content) + content)


def _in_chunks(peer: socket.socket) -> None:
    """Nothing is wrong with it, except for its haste and its pauses."""
    body = b'{"result": [' + b'"no", ' * 200_000 + b'"no"]}'
    peer.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for start in range(0, len(body), 100_001):
        part = body[start : start + 100_001]
        peer.sendall(b"%x\r\n%s\r\n" % (len(part), part))
    peer.sendall(b"0\r\n\r\n")


PEERS: dict[str, Callable[[socket.socket], None]] = {
    "never answers": _never,
    "closes at once": lambda peer: None,
    "sends its answer drop by drop": _drop_by_drop,
    "sends without end": _without_end,
    "breaks off in the middle": _says(OK + b'Content-Length: 500\r\n\r\n{"result": ["no"'),
    "breaks off inside a chunk": _says(OK + b"Transfer-Encoding: chunked\r\n\r\n40\r\n[1"),
    "breaks off in a header": _says(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "is no HTTP server": _says(b"220 mail.example ESMTP\r\n"),
    "answers random bytes": _says(bytes(range(256)) * 20),
    "answers random bytes in a body": _body(bytes(range(256)) * 4),
    "answers a web page": _body(b"<html><script>alert(1)</script></html>"),
    "answers nothing": _body(b""),
    "answers null": _body(b"null"),
    "answers a body nested 100,000 deep": _body(b"[" * 100_000 + b"]" * 100_000),
    "answers numbers beyond any float": _body(b'{"result": [{"a": %s, "b": 1}]}' % (b"9" * 2000)),
    "answers 200,001 rows in odd chunks": _in_chunks,
    "answers its error with 200": _body(b'"{\\"error\\": \\"no such column\\"}"'),
    "lies about gzip": _says(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
    "asks to retry in ² seconds": _says(
        b"HTTP/1.1 503 Busy\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n"
    ),
    "redirects elsewhere": _says(
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"
    ),
}


def _read(peer: socket.socket) -> None:
    """The whole request: a socket closed before it was read is reset."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += peer.recv(65_536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while len(body) < (int(length[1]) if length else 0):
        body += peer.recv(65_536)


@contextmanager
def answering(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """The scoring URI of a peer that reads a request and then does as `behave` does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.settimeout(20)
            _read(peer)
            behave(peer)

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/score"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
