"""The ASGI application of a scoring server: routes, keys, headers, and who is told.

What may not be waited for happens elsewhere: the store is read by `decisions`, telemetry is
sent by a thread of its own.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from services.local.serving import scorers
from services.local.serving.engine import Engine
from services.local.serving.keyring import KeyRing
from services.local.serving.reporter import Answered, Reporter
from services.local.serving.scorers import Scored
from services.local.serving.server_log import RequestLog
from services.local.serving.swagger import DEFAULT_VERSION

log = logging.getLogger("scoring")

BODY_LIMIT_BYTES = 10 * 1024 * 1024
ID_LIMIT = 100  # characters of a request id, as on Azure
VERSION = b"azureml-operator/1"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON = b"application/json"
_MISSING_KEY = (
    "The Authorization header is missing; send “Bearer” and one of the deployment’s keys."
)
_WRONG_KEY = "The key in the Authorization header is not one of this deployment’s keys."
_STARTING = "The deployment is loading its model; ask again in a moment."
_NO_SWAGGER = (
    "Swagger not found: the scoring script does not say what it takes. "
    "Decorate run() with @input_schema and @output_schema and deploy it again."
)


class TooLargeError(Exception):
    """A body exceeds the limit."""


class ScoringApp:
    """Its attributes are replaced from outside, between two requests, as decisions change."""

    def __init__(
        self,
        request_log: RequestLog,
        *,
        refresh_keys: Callable[[], None] = lambda: None,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
    ) -> None:
        """
        Args:
            refresh_keys: called before a key is refused: it may have been issued just now.
        """
        self.engine: Engine | None = None
        self.keys = KeyRing(required=True)  # nobody, until the keys are known
        self.reporter: Reporter | None = None
        self._log = request_log
        self._refresh_keys = refresh_keys
        self._body_limit_bytes = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Request(self, scope, receive, send).answer()

    async def route(self, request: _Request) -> Answer | None:
        """The answer to a request; None when its sender has gone."""
        path, method = request.path, request.method
        if path == "/score":
            return await self._score(request)
        if path == "/":
            return self._health() if method in ("GET", "HEAD") else _NOT_ALLOWED
        if path == "/swagger.json":
            return self._swagger(request) if method in ("GET", "HEAD") else _NOT_ALLOWED
        return _refused(404, f"Nothing is at {path}; ask /, /score or /swagger.json.")

    def _health(self) -> Answer:
        if self.engine is None:
            return _refused(503, _STARTING)
        return Answer(200, b"Healthy", content_type=b"text/html; charset=utf-8")

    def _swagger(self, request: _Request) -> Answer:
        if self.engine is None:
            return _refused(503, _STARTING)
        query = parse_qs(request.scope["query_string"].decode("latin-1"))
        version = query.get("version", [DEFAULT_VERSION])[0]
        documents = self.engine.description.swagger
        if not documents:
            return _refused(404, _NO_SWAGGER)
        if version not in documents:
            known = ", ".join(sorted(documents))
            return _refused(404, f"Swagger version [{version}] is not valid. It has {known}.")
        return Answer(200, orjson.dumps(documents[version]))

    async def _score(self, request: _Request) -> Answer | None:
        if request.method == "OPTIONS":
            return Answer(200, b"")
        if request.method != "POST":
            return _NOT_ALLOWED
        if not self._authorized(request):
            return _refused(401, _WRONG_KEY if request.header(b"authorization") else _MISSING_KEY)
        if self.engine is None:
            return _refused(503, _STARTING)
        kind = request.header(b"content-type").split(b";", 1)[0].strip().lower()
        if kind != _JSON and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
            return _refused(415, "Expects Content-Type to be application/json")
        try:
            body = await request.read(self._body_limit_bytes)
        except TooLargeError:
            limit = self._body_limit_bytes / 1_048_576
            return _refused(
                413, f"The body is larger than {limit:g} MB; send fewer rows at a time."
            )
        if body is None:
            return None
        request.body = body
        return Answer.of(await self.engine.score(body))

    def _authorized(self, request: _Request) -> bool:
        header, now = request.header(b"authorization"), request.at
        if self.keys.accepts(header, now):
            return True
        if not header:
            return False
        self._refresh_keys()
        return self.keys.accepts(header, now)

    def done(self, request: _Request, answer: Answer, duration_ms: float) -> None:
        """Write down what was answered; the health check is asked too often to be worth it."""
        if request.path == "/" and answer.status in (200, 503):
            return
        reason = "" if answer.status < 400 else answer.reason
        self._log.add(
            f"{request.method} {request.path}",
            status=answer.status,
            duration_ms=duration_ms,
            length=len(answer.body),
            reason=reason,
        )
        if self.reporter is not None and request.path == "/score":
            self.reporter.report(
                Answered(
                    at=request.at,
                    method=request.method,
                    path=request.path,
                    url=request.url,
                    status=answer.status,
                    duration_ms=duration_ms,
                    request_id=request.id,
                    client_request_id=request.client_id,
                    body=request.body,
                    answer=answer.body,
                    scored=answer.scored,
                )
            )


class Answer:
    """Status, body and how the model fared."""

    __slots__ = ("body", "content_type", "scored", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes = _JSON,
        scored: Scored | None = None,
    ) -> None:
        self.status, self.body = status, body
        self.content_type, self.scored = content_type, scored

    @classmethod
    def of(cls, scored: Scored) -> Answer:
        return cls(scored.status, scored.body, scored=scored)

    @property
    def reason(self) -> str:
        """Why it is no success, for the log."""
        if self.scored is not None and self.scored.run_failed:
            return f"{type(self.scored.error).__name__}: {self.scored.error}"
        try:
            return str(orjson.loads(self.body)["message"])
        except (ValueError, KeyError, TypeError):
            return ""


def _refused(status: int, message: str) -> Answer:
    return Answer(status, scorers.message(message))


_NOT_ALLOWED = _refused(405, "The method is not allowed for the requested URL.")
_BROKEN = _refused(500, "An unexpected internal error occurred. Check the logs for more info.")


class _Request:
    """One request on its way through the application."""

    __slots__ = (
        "_app", "_headers", "_receive", "_send", "_started",
        "at", "body", "client_id", "id", "legacy_id", "method", "path", "scope",
    )  # fmt: skip

    def __init__(self, app: ScoringApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._started = time.perf_counter()
        self.at = datetime.now(UTC)
        self._app, self.scope, self._receive, self._send = app, scope, receive, send
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.body = b""
        self.id = self.legacy_id = self.client_id = ""

    @property
    def url(self) -> str:
        host = self.header(b"host").decode("latin-1")
        return f"{self.scope['scheme']}://{host}{self.path}"

    def header(self, name: bytes) -> bytes:
        return self._headers.get(name, b"")

    async def answer(self) -> None:
        try:
            answer = self._identify() or await self._app.route(self)
        except Exception:  # one request must not end the server
            log.exception("%s %s met an error of the server's own", self.method, self.path)
            answer = _BROKEN
        if answer is None:
            return
        await self._respond(answer)
        duration_ms = (time.perf_counter() - self._started) * 1000
        self._app.done(self, answer, duration_ms)

    def _identify(self) -> Answer | None:
        """Settle the ids a request travels under; the answer is a refusal, if there is one.

        Source: azureml-inference-server-http 1.5.1, which of the three stands in for which.
        """
        own = self.header(b"x-request-id").decode("latin-1") or str(uuid.uuid4())
        legacy = self.header(b"x-ms-request-id").decode("latin-1")
        client = self.header(b"x-ms-client-request-id").decode("latin-1")
        if len(own) > ID_LIMIT:
            return _refused(431, f"x-request-id must not exceed {ID_LIMIT} characters")
        self.id = own
        if len(legacy) > ID_LIMIT or len(client) > ID_LIMIT:
            names = "x-ms-request-id and x-ms-client-request-id"
            return _refused(431, f"{names} must not exceed {ID_LIMIT} characters")
        self.client_id = client or legacy
        self.legacy_id = legacy or client or own
        return None

    async def read(self, limit_bytes: int) -> bytes | None:
        """The body; None when its sender went away before the end.

        Raises:
            TooLargeError: it is announced, or turns out, to be larger than `limit_bytes`.
        """
        announced = self.header(b"content-length")
        if announced.isdigit() and int(announced) > limit_bytes:
            raise TooLargeError
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            only: bytes = message.get("body", b"")
            if len(only) > limit_bytes:
                raise TooLargeError
            return only
        gathered = bytearray()
        while message["type"] == "http.request":
            gathered += message.get("body", b"")
            if len(gathered) > limit_bytes:
                raise TooLargeError
            if not message.get("more_body"):
                return bytes(gathered)
            message = await self._receive()
        return None

    async def _respond(self, answer: Answer) -> None:
        headers: Headers = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-ms-server-version", VERSION),
        ]
        for name, value in (
            (b"x-request-id", self.id),
            (b"x-ms-request-id", self.legacy_id),
            (b"x-ms-client-request-id", self.client_id),
        ):
            if value:
                headers.append((name, value.encode("latin-1")))
        if trace := self.header(b"traceid"):
            headers.append((b"traceid", trace))
        if answer.content_type is _JSON:
            headers += _outcome_headers(answer)
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        body = b"" if self.method == "HEAD" else answer.body
        await self._send({"type": "http.response.body", "body": body})


def _outcome_headers(answer: Answer) -> Headers:
    scored = answer.scored
    headers: Headers = [
        (b"x-ms-run-function-failed", b"True" if scored and scored.run_failed else b"False")
    ]
    if scored is not None and scored.run_ms is not None:
        headers.append((b"x-ms-run-fn-exec-ms", b"%.3f" % scored.run_ms))
    if answer.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    elif answer.status == 413:
        headers.append((b"connection", b"close"))  # what is left of the body is not read
    elif answer.status == 503:
        headers.append((b"retry-after", b"1"))
    return headers
