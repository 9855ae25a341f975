"""Artifacts outside of runs: what the SDK uploads before it deploys, and files of models.

A model that no run left behind has its files in a container of its own, as if somebody had
registered a folder of their machine.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.azure_double import blobs
from tests.azure_double.answers import error, instant, state
from tests.azure_double.artifacts import BASE
from tests.azure_double.state import State

ORIGIN = "LocalUpload"
MODEL = "model."


async def reserve(request: Request) -> Response:
    """Empty artifacts, and addresses to put their contents at."""
    return await run_in_threadpool(_reserve, request, (await request.json())["paths"])


def _reserve(request: Request, wanted: list[dict[str, str]]) -> Response:
    container = request.path_params["container"]
    paths = [each["path"] for each in wanted]
    return JSONResponse(
        {
            "artifacts": {
                path: {
                    "artifactId": f"{ORIGIN}/{container}/{path}",
                    "origin": ORIGIN,
                    "container": container,
                    "path": path,
                    "etag": '"0x8D"',
                    "createdTime": instant(state(request).workspace.clock()),
                    "dataPath": None,
                    "tags": {},
                }
                for path in paths
            },
            "artifactContentInformation": {path: _where(container, path) for path in paths},
            "errors": {},
        }
    )


def where(request: Request) -> Response:
    container, path = request.path_params["container"], request.path_params["path"]
    if not _provided(state(request), container, path):
        return error(404, "UserError", f"Artifact not found at {container}/{path}.")
    return JSONResponse(_where(container, path))


def container_of(model_name: str, version: int) -> str:
    return f"{MODEL}{model_name}.{version}"


def _provided(double: State, container: str, path: str) -> bool:
    """Whether a blob is there; of a model of the engine's it is put there when asked for."""
    name = f"{blobs.CONTAINER}/{ORIGIN}/{container}/{path}"
    if container.startswith(MODEL):
        model, _, version = container.removeprefix(MODEL).rpartition(".")
        file = double.workspace.models.folder(model, int(version)) / path
        if file.is_file():
            with double.lock:
                double.blobs[name] = file.read_bytes()
    with double.lock:
        return name in double.blobs


def _where(container: str, path: str) -> dict[str, object]:
    return {
        "contentUri": blobs.address(f"{ORIGIN}/{container}/{path}"),
        "origin": ORIGIN,
        "container": container,
        "path": path,
        "tags": {},
    }


routes = [
    Route(f"{BASE}/batch/metadata/{ORIGIN}/{{container}}", reserve, methods=["POST"]),
    Route(f"{BASE}/contentinfo/{ORIGIN}/{{container}}/{{path:path}}", where),
]
