"""A webhook and a mail server on loopback that take what they are sent, and may refuse it."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """What was posted. `answers` are the next statuses; then 200."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    on_post: Any = None  # called with each body before it is answered


@contextmanager
def webhook(*, context: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    taken = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.posts.append(body)
            taken.headers.append({name.lower(): value for name, value in self.headers.items()})
            if taken.on_post:
                taken.on_post(body)
            status = taken.answers.pop(0) if taken.answers else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", taken.url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    taken.url = f"{scheme}://127.0.0.1:{server.server_port}/hook/a-secret-path?sig=another-secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    """What was mailed. `refuse` answers DATA with that code instead of taking it."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: int | None = None
    accept_login: bool = True


@contextmanager
def mail_server(*, context: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """As much of SMTP as ``smtplib`` speaks; with a context it offers STARTTLS."""
    taken = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("220 loopback")
            while line := self.rfile.readline():
                word = line.split(b" ")[0].strip().upper()
                if word == b"EHLO":
                    self.say("250-loopback")
                    if context is not None:
                        self.say("250-STARTTLS")
                    self.say("250 AUTH PLAIN")
                elif word == b"STARTTLS" and context is not None:
                    self.say("220 go on")
                    try:
                        secure = context.wrap_socket(self.request, server_side=True)
                    except ssl.SSLError:
                        return
                    self.rfile, self.wfile = secure.makefile("rb"), secure.makefile("wb", 0)
                elif word == b"AUTH":
                    taken.logins.append(line.decode().strip())
                    self.say("235 ok" if taken.accept_login else "535 no")
                elif word == b"DATA":
                    self.take()
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def take(self) -> None:
            self.say("354 go on")
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            if taken.refuse:
                self.say(f"{taken.refuse} no")
                return
            taken.mails.append(message_from_bytes(b"".join(lines)))
            self.say("250 taken")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        taken.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield taken
        finally:
            server.shutdown()
