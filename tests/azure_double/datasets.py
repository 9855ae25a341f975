"""The dataset service: what the engine has registered, in Azure's words.

A posted definition is followed to its file on the default datastore; the engine registers
that file, so that whatever trains on the dataset there finds it. The definition itself,
with its properties, is kept in ``state.memory["definitions"]``.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.azure import dataflows
from services.domain import Dataset, DataSource, SourceKind
from services.errors import InvalidRequestError, NotFoundError
from tests.azure_double import datastores
from tests.azure_double.answers import error, instant, state
from tests.azure_double.state import ARM, State

BASE = f"/dataset/v1.0{ARM}/datasets"
SPACE = uuid.UUID("5f0c6a52-1a63-4d8c-9a5e-3b1f8a4d7c20")


def listed(request: Request) -> Response:
    """The latest version of each, with whatever a test put beside them."""
    double = state(request)
    entries = [_entry(double, each) for each in double.workspace.datasets.list()]
    entries += double.memory.get("more datasets", [])
    return _page(request, entries)


def by_query(request: Request) -> Response:
    """``query/name=bank`` or ``query/savedDatasetId=…``."""
    double = state(request)
    kind, _, value = request.path_params["query"].partition("=")
    if kind == "savedDatasetId":
        return _page(
            request, [_entry(double, each) for each in _all(double) if saved(each) == value]
        )
    for entry in double.memory.get("more datasets", []):
        if entry.get("name") == value:
            return JSONResponse(entry)
    version = request.query_params.get("versionId")
    return JSONResponse(
        _entry(double, double.workspace.datasets.get(value, int(version) if version else None))
    )


def definitions(request: Request) -> Response:
    double = state(request)
    wanted = request.path_params["id"]
    versions = [each for each in _all(double) if dataset_id(each.name) == wanted]
    if not versions:
        return error(404, "NotFound", "There is no such dataset.")
    return _page(request, [_definition(double, each) for each in versions])


async def register(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(_register, request, await request.json())


def _register(request: Request, posted: dict[str, Any]) -> Response:
    double = state(request)
    name, latest = posted["name"], posted["latest"]
    if request.query_params.get("updateDefinitionIfExists") != "true" and _known(double, name):
        return error(409, "Conflict", f"There is already a dataset named {name}.")
    script = dataflows.script_of(latest.get("dataflow"))
    flow = dataflows.read(script or "")
    if flow.datastore != datastores.DEFAULT:
        raise InvalidRequestError("The double keeps only datasets of the default datastore.")
    content = datastores.blob(request, flow.path)
    if content is None:
        raise InvalidRequestError(f"There is no file {flow.path} on the datastore.")
    dataset = double.workspace.datasets.register(
        name,
        DataSource(
            kind=SourceKind.UPLOAD,
            location=flow.path,
            content=content,
            delimiter=flow.delimiter,
            encoding=flow.encoding,
        ),
        description=posted.get("description") or "",
        tags=posted.get("tags") or {},
    )
    with double.lock:
        kept = {"dataflow": latest["dataflow"], "properties": latest.get("properties") or {}}
        double.memory.setdefault("definitions", {})[dataset.id] = kept
    return JSONResponse(_entry(double, dataset))


def version_of_data(request: Request) -> Response:
    """The definition as YAML, which the SDK asks of another service."""
    double = state(request)
    asked = request.path_params["asset"].removeprefix("unregistered-")
    for entry in double.memory.get("more datasets", []):
        if entry["latest"].get("savedDatasetId") == asked:
            script = dataflows.script_of(entry["latest"]["dataflow"])
            return JSONResponse({"legacyDataflow": script})
    for each in _all(double):
        if saved(each) == asked:
            script = dataflows.script_of(_written(double, each)["dataflow"])
            return JSONResponse({"legacyDataflow": script})
    return error(404, "UserError", "No data asset of this name.")


def _entry(double: State, dataset: Dataset) -> dict[str, Any]:
    first = double.workspace.datasets.get(dataset.name, 1)
    return {
        "datasetId": dataset_id(dataset.name),
        "datasetState": {"state": "active", "deprecatedBy": None, "etag": None},
        "datasetType": "tabular",
        "name": dataset.name,
        "description": dataset.description,
        "tags": dict(dataset.tags),
        "isVisible": True,
        "defaultCompute": None,
        "createdTime": instant(first.created_at),
        "modifiedTime": instant(dataset.created_at),
        "etag": None,
        "latest": _definition(double, dataset),
    }


def _definition(double: State, dataset: Dataset) -> dict[str, Any]:
    kept = _written(double, dataset)
    if double.memory.get("old definitions"):  # as before there was YAML
        kept = kept | {"dataflow": json.dumps({"blocks": [], "meta": {}})}
    return {
        "datasetId": dataset_id(dataset.name),
        "versionId": str(dataset.version),
        "datasetDefinitionState": {"state": "active", "deprecatedBy": None, "etag": None},
        "dataPath": None,
        "partitionFormatInPath": None,
        "profileActionResult": None,
        "notes": None,
        "etag": None,
        "createdTime": instant(dataset.created_at),
        "fileType": "Unknown",
        "savedDatasetId": saved(dataset),
        **kept,
    }


def _written(double: State, dataset: Dataset) -> dict[str, Any]:
    """As it was posted, or as it would have been."""
    posted = double.memory.get("definitions", {}).get(dataset.id)
    return dict(posted or _found(double, dataset))


def _found(double: State, dataset: Dataset) -> dict[str, Any]:
    """The definition of what the engine registered by itself."""
    file = datastores.original(double.workspace, dataset.name, dataset.version)
    if file is None:
        raise NotFoundError("file of dataset", dataset.id)
    path = f"{datastores.REGISTERED}/{dataset.name}/{dataset.version}/{file.name}"
    address = datastores.address(path)
    parquet = file.suffix == ".parquet"
    dataflow = dataflows.parquet(address) if parquet else _delimited(double, dataset, address)
    return {"dataflow": dataflow, "properties": {}}


def _delimited(double: State, dataset: Dataset, address: str) -> str:
    file = datastores.original(double.workspace, dataset.name, dataset.version)
    assert file is not None
    with file.open("rb") as start:
        header = start.readline().decode("latin-1")
    delimiter = max(",;\t|", key=header.count)
    return dataflows.delimited(address, delimiter, "UTF-8")


def _all(double: State) -> list[Dataset]:
    datasets = double.workspace.datasets
    return [version for each in datasets.list() for version in datasets.versions(each.name)]


def _known(double: State, name: str) -> bool:
    try:
        double.workspace.datasets.get(name)
    except NotFoundError:
        return False
    return True


def _page(request: Request, entries: list[dict[str, Any]]) -> Response:
    start = int(request.query_params.get("continuationToken") or 0)
    size = min(state(request).page_size, int(request.query_params.get("pageSize") or 100))
    answer: dict[str, Any] = {"value": entries[start : start + size], "continuationToken": None}
    if start + size < len(entries):
        answer["continuationToken"] = str(start + size)
    return JSONResponse(answer)


def dataset_id(name: str) -> str:
    return str(uuid.uuid5(SPACE, name))


def saved(dataset: Dataset) -> str:
    """The id of a definition that no later version changes."""
    return str(uuid.uuid5(SPACE, dataset.id))


routes = [
    Route(BASE, listed),
    Route(BASE, register, methods=["POST"]),
    Route(f"{BASE}/query/{{query}}", by_query),
    Route(f"{BASE}/{{id}}/definitions", definitions),
    Route(f"/data/v1.0{ARM}/dataversion/{{asset}}/versions/{{version}}", version_of_data),
]
