"""The shapes Azure answers in: errors, pages, tokens, instants."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
)
from tests.azure_double.state import TENANT, State

STATUS = {
    NotFoundError: 404,
    ConflictError: 409,
    InvalidRequestError: 400,
    AccessDeniedError: 403,
}


def state(request: Request) -> State:
    return request.app.state.double


def error(status: int, code: str, message: str, **headers: str) -> JSONResponse:
    """Azure's error body, in the form every service of the workspace uses."""
    body = {
        "error": {"code": code, "message": message, "details": []},
        "correlation": {"operation": "loopback", "request": "loopback"},
        "statusCode": status,
        "code": code,
        "message": message,
    }
    return JSONResponse(body, status, headers or None)


def with_json(
    function: Callable[[Request, Any], Response],
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a JSON body and answers on a thread, where it may take its time."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(function, request, await request.json())

    return endpoint


async def refused(_: Request, problem: Exception) -> JSONResponse:
    """What the engine behind refuses, Azure refuses with the matching status."""
    status = STATUS.get(type(problem), 500 if not isinstance(problem, ServiceError) else 503)
    return error(status, type(problem).__name__.removesuffix("Error"), str(problem))


def page(request: Request, items: Sequence[Any], *, key: str = "value") -> dict[str, Any]:
    """One page of a list, with the token of the next where there is one."""
    start = int(request.query_params.get("$skipToken") or request.query_params.get("skip") or 0)
    size = state(request).page_size
    answer: dict[str, Any] = {key: list(items[start : start + size])}
    if start + size < len(items):
        answer["continuationToken"] = str(start + size)
    return answer


def instant(at: datetime | None) -> str | None:
    """An instant as the services write it: seven digits and a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def token(audience: str, lifetime_s: int = 3600) -> dict[str, Any]:
    """An access token of three parts; nobody checks its signature, the SDK reads its claims."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
        "tid": TENANT,
        "oid": "11111111-2222-3333-4444-555555555555",
    }
    parts = [{"typ": "JWT", "alg": "RS256"}, claims, {"signature": "loopback"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in parts]
    return {
        "token_type": "Bearer",
        "expires_in": lifetime_s,
        "ext_expires_in": lifetime_s,
        "expires_on": str(now + lifetime_s),
        "not_before": str(now),
        "resource": audience,
        "access_token": b".".join(encoded).decode(),
    }
