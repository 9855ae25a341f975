"""Registered models and their assets, as the model management service keeps them.

A model here is the engine's own; what only Azure keeps of it (its properties, the asset
its files are) is in ``state.memory``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.domain import Model
from services.errors import InvalidRequestError, NotFoundError
from tests.azure_double.answers import instant, state
from tests.azure_double.datasets import SPACE
from tests.azure_double.state import ARM, REGION, State
from tests.azure_double.uploads import container_of

BASE = f"/modelmanagement/v1.0{ARM}"
MODEL_FILE = "outputs/model.pkl"


def listed(request: Request) -> Response:
    """Pages as the service makes them: a link, or no such key at all."""
    double = state(request)
    asked = request.query_params
    models = [
        each
        for each in double.workspace.models.list()
        if asked.get("name") in (None, each.name) and asked.get("runId") in (None, each.run_id)
    ]
    if asked.get("latestVersionOnly", "").lower() == "true":
        newest = {each.name: each.version for each in reversed(models)}
        models = [each for each in models if each.version == newest[each.name]]
    entries = [payload(double, each) for each in models] + double.memory.get("more models", [])
    start = int(asked.get("$skipToken") or 0)
    size = min(double.page_size, int(asked.get("count") or 255))
    answer: dict[str, Any] = {"value": entries[start : start + size]}
    if start + size < len(entries):
        place = f"https://{REGION}.api.azureml.ms{BASE}/models?$skipToken={start + size}"
        answer["nextLink"] = f"{place}&count={size}"
    return JSONResponse(answer)


def get(request: Request) -> Response:
    double = state(request)
    for entry in double.memory.get("more models", []):
        if entry.get("id") == request.path_params["id"]:
            return JSONResponse(entry)
    return JSONResponse(payload(double, double.workspace.models.get(request.path_params["id"])))


async def register(request: Request) -> Response:
    return await run_in_threadpool(_register, request, await request.json())


def _register(request: Request, posted: dict[str, Any]) -> Response:
    double = state(request)
    if not posted.get("runId"):
        raise InvalidRequestError("The double keeps only models that a run left behind.")
    asset = posted["url"].rpartition("/")[2]
    if asset not in double.memory.get("assets", {}):
        raise InvalidRequestError(f"There is no asset {asset}.")
    model = double.workspace.models.register(
        posted["runId"],
        posted["name"],
        description=posted.get("description") or "",
        tags=posted.get("kvTags") or {},
    )
    with double.lock:
        kept = {"url": posted["url"], "properties": posted.get("properties") or {}}
        kept |= {key: posted.get(key) for key in ("framework", "frameworkVersion", "mimeType")}
        double.memory.setdefault("models", {})[model.id] = kept
    return JSONResponse(payload(double, model))


async def patch(request: Request) -> Response:
    """A JSON patch of what is written about it."""
    return await run_in_threadpool(_patch, request, await request.json())


def _patch(request: Request, operations: list[dict[str, Any]]) -> Response:
    double = state(request)
    changes = {each["path"]: each.get("value") for each in operations}
    model = double.workspace.models.update(
        request.path_params["id"],
        description=changes.get("/description"),
        tags=changes.get("/kvTags"),
    )
    return JSONResponse(payload(double, model))


async def create_asset(request: Request) -> Response:
    posted: dict[str, Any] = await request.json()
    double = state(request)
    identity = str(uuid.uuid4())
    with double.lock:
        kept = {**posted, "id": identity, "createdTime": "2024-01-01T00:00:00.0000000Z"}
        double.memory.setdefault("assets", {})[identity] = kept
    return JSONResponse(kept)


def get_asset(request: Request) -> Response:
    double = state(request)
    wanted = request.path_params["id"]
    with double.lock:
        if (kept := double.memory.get("assets", {}).get(wanted)) is not None:
            return JSONResponse(kept)
    for model in double.workspace.models.list():
        if _asset(model) == wanted:
            prefix = f"ExperimentRun/dcid.{model.run_id}/{MODEL_FILE}"
            if model.run_id is None:  # no run left it behind: a folder of its own
                prefix = f"LocalUpload/{container_of(model.name, model.version)}/model.pkl"
            artifacts = [{"prefix": prefix, "id": None}]
            return JSONResponse({"id": wanted, "name": model.name, "artifacts": artifacts})
    raise NotFoundError("asset", wanted)


def payload(double: State, model: Model) -> dict[str, Any]:
    """The model as every service that mentions it writes it down."""
    kept: Mapping[str, Any] = double.memory.get("models", {}).get(model.id, {})
    return {
        "id": model.id,
        "name": model.name,
        "framework": kept.get("framework") or "Custom",
        "frameworkVersion": kept.get("frameworkVersion"),
        "version": model.version,
        "datasets": [],
        "url": kept.get("url") or f"aml://asset/{_asset(model)}",
        "mimeType": kept.get("mimeType") or "application/json",
        "description": model.description,
        "createdTime": instant(model.created_at),
        "modifiedTime": instant(model.created_at),
        "unpack": False,
        "parentModelId": None,
        "runId": model.run_id,
        "experimentName": model.experiment,
        "kvTags": dict(model.tags),
        "tags": dict(model.tags),
        "properties": kept.get("properties", {}),
        "derivedModelIds": [],
        "sampleInputData": None,
        "sampleOutputData": None,
        "resourceRequirements": None,
        "createdBy": {"userObjectId": "loopback", "userName": "operator"},
    }


def _asset(model: Model) -> str:
    """The asset of a model that was registered without the SDK."""
    return str(uuid.uuid5(SPACE, f"asset of {model.id}"))


routes = [
    Route(f"{BASE}/models", listed),
    Route(f"{BASE}/models", register, methods=["POST"]),
    Route(f"{BASE}/models/{{id}}", get),
    Route(f"{BASE}/models/{{id}}", patch, methods=["PATCH"]),
    Route(f"{BASE}/assets", create_asset, methods=["POST"]),
    Route(f"{BASE}/assets/{{id}}", get_asset),
]
