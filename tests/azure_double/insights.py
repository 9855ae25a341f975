"""Application Insights: the two query addresses and the one that takes telemetry in.

What is asked and sent goes to the real telemetry server of the workspace behind the double.
That server speaks the classic names; a Log Analytics workspace answers under its own, so its
queries run over views that rename every column, and the classic tables are not there.

Knobs: ``insights_role`` False refuses (403), ``insights_partial`` is why rows are missing,
``insights_strangers`` names roles whose rows belong to another component of the Log Analytics
workspace; ``ingestion_mode`` and ``log_analytics`` in `arm`.
"""

from __future__ import annotations

import base64
import json
import re

import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from services.local.telemetry import identity, tables
from tests.azure_double.answers import state
from tests.azure_double.state import COMPONENT, CUSTOMER, INGESTION

TIMEOUT_S = 60
CLASSIC_HOST, WORKSPACE_HOST = "api.applicationinsights.io", "api.loganalytics.io"

_SHARED = {
    "timestamp": "TimeGenerated",
    "customDimensions": "Properties",
    "customMeasurements": "Measurements",
    "operation_Id": "OperationId",
    "operation_Name": "OperationName",
    "operation_ParentId": "ParentId",
    "cloud_RoleName": "AppRoleName",
    "cloud_RoleInstance": "AppRoleInstance",
    "sdkVersion": "SDKVersion",
    "itemCount": "ItemCount",
    "duration": "DurationMs",
    "iKey": "IKey",
}
_OWN = {  # classic table → its name in Log Analytics, and the columns not merely capitalised
    "requests": ("AppRequests", {}),
    "dependencies": ("AppDependencies", {"type": "DependencyType"}),
    "exceptions": ("AppExceptions", {"type": "ExceptionType"}),
    "traces": ("AppTraces", {}),
    "customEvents": ("AppEvents", {}),
    "customMetrics": (
        "AppMetrics",
        {"valueSum": "Sum", "valueCount": "ItemCount", "valueMin": "Min", "valueMax": "Max"},
    ),
    "availabilityResults": ("AppAvailabilityResults", {}),
}


async def classic(request: Request) -> Response:
    """``POST /v1/apps/{app_id}/query``."""
    refusal = _refused(request, CLASSIC_HOST)
    if refusal is not None:
        return refusal
    if request.path_params["id"] != _access(request).application_id:
        return _error(404, "PathNotFoundError", "The requested path does not exist")
    return await _asked(request, "")


async def workspace(request: Request) -> Response:
    """``POST /v1/workspaces/{customer_id}/query``: the App* tables and nothing else."""
    refusal = _refused(request, WORKSPACE_HOST)
    if refusal is not None:
        return refusal
    if request.path_params["id"] != CUSTOMER:
        return _error(404, "PathNotFoundError", "The requested path does not exist")
    query = str((await request.json()).get("query", ""))
    for table in tables.TABLES:
        if re.search(rf"(?m)(?:^|=\s*){table}\s*(?:$|\|)", query):
            return _error(400, "BadArgumentError", f"Failed to resolve table '{table}'")
    return await _asked(request, _views(request, query))


async def track(request: Request) -> Response:
    """Telemetry of scoring servers and of the dashboard itself."""
    answer = await _forwarded(
        request,
        request.url.path,
        await request.body(),
        {
            name: value
            for name, value in request.headers.items()
            if name.startswith("x-batch") or name in ("content-type", "content-encoding")
        },
    )
    return Response(answer.content, answer.status_code, media_type="application/json")


def _refused(request: Request, host: str) -> Response | None:
    """A token for this very audience, and a role that may read."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        claims = given.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["aud"]
    except (IndexError, ValueError, KeyError):
        return _error(401, "AuthorizationRequiredError", "Valid authentication was not provided")
    if audience.rstrip("/") != f"https://{host}":
        return _error(401, "InvalidTokenError", "The token's audience is another")
    if state(request).memory.get("insights_role") is False:
        return _error(403, "InsufficientAccessError", "The provided credentials are insufficient")
    if request.headers.get("content-type") != "application/json":
        return Response(status_code=200)  # Azure answers an empty body then
    return None


async def _asked(request: Request, views: str) -> Response:
    asked = await request.json()
    access = _access(request)
    answer = await _forwarded(
        request,
        f"/v1/apps/{access.application_id}/query",
        json.dumps({"query": views + _unweighted(str(asked.get("query", "")))}).encode(),
        {
            "Authorization": f"Bearer {access.query_token}",
            "Prefer": request.headers.get("prefer", ""),
            "Content-Type": "application/json",
        },
    )
    why = state(request).memory.get("insights_partial")
    if answer.status_code != 200 or not why:
        return Response(answer.content, answer.status_code, media_type="application/json")
    details = [{"code": "EngineError", "message": why}]
    error = {"code": "PartialError", "message": "There were some errors.", "details": details}
    return JSONResponse({**answer.json(), "error": error})


async def _forwarded(
    request: Request, path: str, body: bytes, headers: dict[str, str]
) -> requests.Response:
    from starlette.concurrency import run_in_threadpool

    address = identity.base_url(state(request).workspace.store)

    def post() -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # our own loopback
            return session.post(address + path, data=body, headers=headers, timeout=TIMEOUT_S)

    return await run_in_threadpool(post)


def _views(request: Request, query: str) -> str:
    """The App* tables the query names, over the classic ones."""
    strangers = state(request).memory.get("insights_strangers") or []
    told = ", ".join(json.dumps(name) for name in strangers) or '""'
    whose = f'iff(cloud_RoleName in ({told}), "/another", "{COMPONENT.lower()}")'
    views = []
    for classic_name, (table, own) in _OWN.items():
        if table not in query:
            continue
        names = {
            column: own.get(column) or _SHARED.get(column) or column[0].upper() + column[1:]
            for column in tables.STORED[classic_name]
            if not (classic_name == "customMetrics" and column == "itemCount")
        }
        renamed = ", ".join(f"{new} = {old}" for old, new in names.items())
        views.append(f"let {table} = {classic_name} | project {renamed}, _ResourceId = {whose};\n")
    return "".join(views)


def _unweighted(query: str) -> str:
    """The engine has no weighted percentiles; its rows all weigh the same."""

    def apart(found: re.Match[str]) -> str:
        names, column, ranks = found.groups()
        pairs = zip(names.split(","), ranks.split(","), strict=True)
        return ", ".join(f"{name.strip()} = percentile({column}, {rank})" for name, rank in pairs)

    query = re.sub(r"\(([\w, ]+)\) = percentilesw\((\w+), \w+, ([\d, ]+)\)", apart, query)
    return re.sub(r"percentilew\((\w+), \w+, (\d+)\)", r"percentile(\1, \2)", query)


def _access(request: Request):  # type: ignore[no-untyped-def]
    return identity.access(state(request).workspace.store)


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


hosts = [
    Host(CLASSIC_HOST, Router([Route("/v1/apps/{id}/query", classic, methods=["POST"])])),
    Host(WORKSPACE_HOST, Router([Route("/v1/workspaces/{id}/query", workspace, methods=["POST"])])),
    Host(
        INGESTION,
        Router([Route(path, track, methods=["POST"]) for path in ("/v2/track", "/v2.1/track")]),
    ),
]
