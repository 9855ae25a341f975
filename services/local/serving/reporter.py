"""What a scoring server tells Application Insights: a row per request, and why it failed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from services.app_insights import wire
from services.app_insights.sender import Sender
from services.local.serving.scorers import Scored

CAPTURE_LIMIT_BYTES = 256 * 1024  # of a body; of a larger one only its beginning is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request that has been answered."""

    at: datetime
    method: str
    path: str
    url: str
    status: int
    duration_ms: float
    request_id: str
    client_request_id: str
    body: bytes  # of the request; empty where it was not read
    answer: bytes
    scored: Scored | None  # None where the model was not asked


class Reporter:
    """Costs a request some microseconds; sending happens on the sender's own thread."""

    def __init__(self, sender: Sender, *, service: str, workspace: str) -> None:
        self._sender = sender
        self._common = {
            "Service Name": service,
            "Workspace Name": workspace,
            "Container Id": f"{os.uname().nodename}:{os.getpid()}",
        }

    def report(self, request: Answered) -> None:
        ids = {**self._common, "Request Id": request.request_id}
        if request.client_request_id:
            ids["Client Request Id"] = request.client_request_id
        self._sender.track(self._request(request, ids))
        if request.scored is None:
            return
        if request.scored.error is not None:
            self._sender.track(
                wire.exception_envelope(
                    at=request.at,
                    error=request.scored.error,
                    operation_id=request.request_id,
                    properties=ids,
                )
            )
        elif request.body:
            self._sender.track(_captured(request, ids))

    def close(self, timeout_s: float) -> None:
        self._sender.close(timeout_s)

    @staticmethod
    def _request(request: Answered, ids: Mapping[str, str]) -> wire.Envelope:
        run_ms = request.scored.run_ms if request.scored else None
        return wire.request_envelope(
            at=request.at,
            request_id=request.request_id,
            name=f"{request.method} {request.path}",
            url=request.url,
            duration_ms=request.duration_ms,
            result_code=str(request.status),
            properties={
                **ids,
                "http_method": request.method,
                "Response Value": request.answer[: wire.PROPERTY_LIMIT].decode("utf-8", "replace"),
            },
            measurements={} if run_ms is None else {"run_ms": run_ms},
        )


def _captured(request: Answered, ids: Mapping[str, str]) -> wire.Envelope:
    """Input and output of one request, as a script on Azure would print them."""
    body, properties = request.body, dict(ids)
    if len(body) > CAPTURE_LIMIT_BYTES:
        properties["Truncated From"] = str(len(body) + len(request.answer))
        body = body[:CAPTURE_LIMIT_BYTES]
    given = body.decode("utf-8", "replace").strip()
    message = f'{{"input": {given}, "output": {_opened(request.answer)}}}'
    return wire.trace_envelope(
        at=request.at, message=message, operation_id=request.request_id, properties=properties
    )


def _opened(answer: bytes) -> str:
    """The JSON inside a JSON string."""
    text = orjson.loads(answer)
    return text if isinstance(text, str) else answer.decode()
