"""One application for every host the SDK knows: it dispatches, records and misbehaves."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import ServiceError
from tests.azure_double import (
    arm,
    artifacts,
    blobs,
    datasets,
    datastores,
    discovery,
    explanations,
    history,
    identity,
    insights,
    metrics,
    models,
    pipelines,
    schedules,
    scoring_hosts,
    services,
    uploads,
)
from tests.azure_double.answers import error, refused
from tests.azure_double.control import routes as control_routes
from tests.azure_double.faults import Fault
from tests.azure_double.state import REGION, Asked, State

CONTROL_HOSTS = ("127.0.0.1", "localhost")


def create(state: State) -> ASGIApp:
    """The double, ready to be served on a plain and a TLS port."""
    app = Starlette(
        routes=[
            Host("login.microsoftonline.com", Router(identity.login_routes)),
            Host("169.254.169.254", Router(identity.machine_routes)),
            Host("management.azure.com", Router(arm.routes)),
            Host(f"{REGION}.api.azureml.ms", Router([*discovery.routes, *_workspace_routes()])),
            *_other_hosts(),
            Host("127.0.0.1", Router(control_routes)),
            Host("localhost", Router(control_routes)),
        ],
        exception_handlers={ServiceError: refused, 404: unforeseen, 405: unforeseen},
    )
    app.state.double = state
    return Recorder(Misbehaviour(app, state), state)


def _workspace_routes() -> list[Route]:
    """Of the workspace's regional host; each family of services adds a module."""
    return [
        *services.routes,
        *uploads.routes,
        *history.routes,
        *metrics.routes,
        *artifacts.routes,
        *explanations.routes,
        *schedules.routes,
        *pipelines.routes,
        *datasets.routes,
        *datastores.routes,
        *models.routes,
    ]


def _other_hosts() -> list[Host]:
    """Blob storage, scoring hosts and the query APIs."""
    return [
        Host(blobs.HOST, Router([*datastores.blob_routes, *blobs.routes])),
        Host(f"{{service}}.{services.SCORING_DOMAIN}", Router(scoring_hosts.routes)),
        *insights.hosts,
    ]


async def unforeseen(request: Request, _: Exception) -> Response:
    """A request nobody foresaw: kept, so that the test that made it fails."""
    double: State = request.app.state.double
    host = request.headers.get("host", "")
    if host.split(":")[0] not in CONTROL_HOSTS:
        with double.lock:
            double.unknown.append(f"{request.method} {host}{request.url.path}")
    return error(404, "Unforeseen", f"The double does not know {request.url.path}.")


class Recorder:
    """Keeps what was asked, and how it was answered."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def recording(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._keep(scope, message["status"])
            await send(message)

        await self._app(scope, receive, recording)

    def _keep(self, scope: Scope, status: int) -> None:
        host = _host(scope)
        if host in CONTROL_HOSTS:
            return
        query = scope["query_string"].decode()
        path = scope["path"] + (f"?{query}" if query else "")
        with self._state.lock:
            self._state.asked.append(Asked(scope["method"], host, path, status))


class Misbehaviour:
    """Latency for everybody, and the faults a test has set."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _host(scope) in CONTROL_HOSTS:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(self._state.latency_s)
        fault = self._fault(scope)
        if fault is None:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(fault.delay_s)
        if fault.drop:
            receive.__self__.transport.abort()  # type: ignore[attr-defined]  # uvicorn's own cycle
            return
        if fault.remove is not None:
            await self._app(scope, receive, _without(fault.remove, send))
            return
        if fault.status is None and fault.body is None:
            await self._app(scope, receive, send)
            return
        await _trouble(fault)(scope, receive, send)

    def _fault(self, scope: Scope) -> Fault | None:
        request = f"{scope['method']} {_host(scope)}{scope['path']}"
        with self._state.lock:
            return next((each for each in self._state.faults if each.applies(request)), None)


def _trouble(fault: Fault) -> Response:
    if fault.body is not None:
        return Response(fault.body, fault.status or 200, media_type="application/json")
    headers = {"Retry-After": str(fault.retry_after_s)} if fault.retry_after_s else {}
    return error(fault.status or 500, f"Injected{fault.status}", "Trouble on request.", **headers)


def _without(key: str, send: Send) -> Send:
    """A `send` that takes `key` out of a JSON answer, at any depth."""
    start: Message = {}
    body = bytearray()

    async def removing(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        contents = json.dumps(_pruned(json.loads(bytes(body)), key)).encode()
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(contents)).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": contents})

    return removing


def _pruned(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(each, key) for name, each in value.items() if name != key}
    if isinstance(value, list):
        return [_pruned(each, key) for each in value]
    return value


def _host(scope: Scope) -> str:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return host.decode().split(":")[0]
