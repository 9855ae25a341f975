"""The API documentation of a deployment: Swagger UI, its document, and the way to the server.

All three come from the dashboard's own address, so that a browser may show and use them
wherever it is, and so that no key has to be given to it (`tickets`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from dashboard import session, tickets
from services.errors import InvalidRequestError, NotFoundError, ServiceError, UnavailableError

log = logging.getLogger(__name__)

FILES = Path(__file__).resolve().parent / "static" / "swagger-ui"
BODY_LIMIT_BYTES = 10 * 1024 * 1024
TIMEOUT_S = 60.0

# Swagger UI writes styles into the page and draws with data: images; nothing else is let in.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
FRAMED = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"}

PATHS = ("", "score", "swagger.json")

# What a caller may say to the deployment, and what the deployment may say back.
SENT = ("authorization", "content-type", "accept", "x-request-id", "x-ms-client-request-id")
ANSWERED = ("content-type", "retry-after", "www-authenticate")
ANSWERED_PREFIX = "x-"


async def page(request: Request) -> Response:
    """The empty page that Swagger UI fills."""
    return FileResponse(FILES / "index.html", headers={**FRAMED, "Cache-Control": "no-cache"})


async def document(request: Request) -> Response:
    """What the deployment says about itself, with this server as its address."""
    name = request.path_params["name"]
    try:
        found = await run_in_threadpool(lambda: session.workspace().deployments.swagger(name))
    except ServiceError as error:
        return _failed(error)
    return JSONResponse(through_here(found), headers={"Cache-Control": "no-store"})


def through_here(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same document for a reader of the dashboard: relative address, keys without “Bearer”."""
    shown = dict(found)
    if "openapi" in shown:
        shown["servers"] = [{"url": "server"}]
        components = _object(shown.get("components"))
        schemes = dict.fromkeys(_object(components.get("securitySchemes")), _BEARER)
        shown["components"] = {**components, "securitySchemes": schemes}
    return shown


def _object(value: Any) -> Mapping[str, Any]:
    """What a deployment says of itself need not be well formed."""
    return value if isinstance(value, Mapping) else {}


_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the deployment’s two keys, without “Bearer” before it.",
}


async def forward(request: Request) -> Response:
    """One request to the deployment itself, and its answer."""
    name, path = request.path_params["name"], request.path_params["path"]
    if path not in PATHS:
        return JSONResponse({"message": f"A deployment has nothing at /{path}."}, 404)
    try:
        body = await _body(request)
        headers = {key: request.headers[key] for key in SENT if key in request.headers}
        ticket = request.headers.get("x-dashboard-ticket", "")
        return await run_in_threadpool(
            _forwarded, request.method, name, path, headers, body, ticket
        )
    except ServiceError as error:
        return _failed(error)


def _forwarded(
    method: str, name: str, path: str, headers: dict[str, str], body: bytes, ticket: str
) -> Response:
    port = session.workspace().deployments
    target = port.get(name)
    if target.scoring_uri is None:
        raise UnavailableError(f"“{name}” has no address yet.")
    if target.auth_enabled and "authorization" not in headers and tickets.admits(ticket, name):
        headers["authorization"] = f"Bearer {port.keys(name).primary}"
    base = target.scoring_uri.removesuffix("score")
    local = urlsplit(base).hostname in ("127.0.0.1", "localhost")
    try:
        with requests.Session() as caller:
            caller.trust_env = not local  # a proxy of the environment is for other machines
            answer = caller.request(
                method,
                base + path,
                data=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        raise UnavailableError(f"“{name}” does not answer.") from error
    kept = {
        key: value
        for key, value in answer.headers.items()
        if key.lower() in ANSWERED or key.lower().startswith(ANSWERED_PREFIX)
    }
    # Whatever a deployment answers is data here, never a page of ours.
    kept["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return Response(answer.content, answer.status_code, kept)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise InvalidRequestError("The body is larger than 10 MB; send fewer rows at a time.")
    return bytes(body)


def _failed(error: ServiceError) -> Response:
    known = {NotFoundError: 404, InvalidRequestError: 413}
    return JSONResponse({"message": str(error)}, known.get(type(error), 503))


routes: list[BaseRoute] = [
    Mount("/api/swagger-ui", StaticFiles(directory=FILES)),
    Route("/api/deployments/{name}/documentation", page),
    Route("/api/deployments/{name}/swagger.json", document),
    Route("/api/deployments/{name}/server/{path:path}", forward, methods=["GET", "POST"]),
]
