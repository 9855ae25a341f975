"""Where the workspace's services are: all of them behind one regional host."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.azure_double.arm import API
from tests.azure_double.state import ARM

SERVICES = (
    "api",
    "catalog",
    "experimentation",
    "gallery",
    "history",
    "hyperdrive",
    "labeling",
    "modelmanagement",
    "notebooks",
    "pipelines",
    "studio",
)


def discovery(request: Request) -> Response:
    return JSONResponse(dict.fromkeys(SERVICES, API))


def computes(request: Request) -> Response:
    """No compute target is attached: training goes through published pipelines."""
    return JSONResponse({"value": []})


routes = [
    Route("/discovery", discovery),
    Route(f"/rp/workspaces{ARM}/computes", computes),
]
