"""The artifact service: which files a run has, and where each can be read."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.errors import NotFoundError
from tests.azure_double import blobs
from tests.azure_double.answers import error, instant, state
from tests.azure_double.run_artifacts import container_run, paths
from tests.azure_double.state import ARM

BASE = f"/artifact/v2.0{ARM}/artifacts"
RUNS = "/ExperimentRun/{container}"


def listed(request: Request) -> Response:
    found = _paths(request)
    if found is None:
        return _no_container(request)
    container = request.path_params["container"]
    return JSONResponse(_page(request, [_artifact(container, path) for path in found]))


def where(request: Request) -> Response:
    container, path = request.path_params["container"], request.path_params["path"]
    if path not in (_paths(request) or ()):
        return error(404, "UserError", f"Artifact not found at {container}/{path}.")
    return JSONResponse(_information(container, path))


def where_under(request: Request) -> Response:
    """Every file whose path starts like this, with its address."""
    container, prefix = request.path_params["container"], request.path_params["path"]
    found = [path for path in _paths(request) or () if path.startswith(prefix)]
    return JSONResponse(_page(request, [_information(container, path) for path in found]))


def _paths(request: Request) -> tuple[str, ...] | None:
    try:
        return paths(state(request), container_run(request.path_params["container"]))
    except NotFoundError:
        return None


def _page(request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(request.query_params.get("continuationToken") or 0)
    end = start + state(request).page_size
    return {
        "value": items[start:end],
        "continuationToken": str(end) if end < len(items) else None,
        "nextLink": None,
    }


def _artifact(container: str, path: str) -> dict[str, Any]:
    return {
        "artifactId": f"ExperimentRun/{container}/{path}",
        "origin": "ExperimentRun",
        "container": container,
        "path": path,
        "etag": '"0x8D"',
        "createdTime": instant(None),
        "dataPath": None,
        "tags": {},
    }


def _information(container: str, path: str) -> dict[str, Any]:
    return {
        "contentUri": blobs.address(f"ExperimentRun/{container}/{path}"),
        "origin": "ExperimentRun",
        "container": container,
        "path": path,
        "tags": {},
    }


def _no_container(request: Request) -> Response:
    return error(404, "UserError", f"Container {request.path_params['container']} not found.")


routes = [
    Route(f"{BASE}/contentinfo{RUNS}/{{path:path}}", where),
    Route(f"{BASE}/prefix/contentinfo{RUNS}/{{path:path}}", where_under),
    Route(f"{BASE}{RUNS}", listed),
]
