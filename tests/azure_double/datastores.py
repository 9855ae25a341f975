"""Datastores, and the blob container behind the default one: state.blobs and the engine's files.

A datastore's credential is an account key, as a workspace has it that nobody hardened.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.local.workspace import LocalWorkspace
from tests.azure_double.answers import error, state
from tests.azure_double.state import ARM, STORAGE

DEFAULT = "workspaceblobstore"
CONTAINER = "azureml-blobstore"
KEY = base64.b64encode(b"loopback-account-key-" * 3).decode()
REGISTERED = "registered"  # where files of datasets are that nobody uploaded through the SDK
BASE = f"/datastore/v1.0{ARM}"


def get(request: Request) -> Response:
    if request.path_params["name"] != DEFAULT:
        return error(404, "UserError", "Could not find datastore.")
    return default(request)


def default(request: Request) -> Response:
    """Its key goes over the wire, as it does in Azure."""
    return JSONResponse(_datastore(state(request).memory.get("datastore", {})))


def listed(request: Request) -> Response:
    return JSONResponse({"value": [_datastore({"accountKey": None, "credential": None})]})


def _datastore(changed: dict[str, object]) -> dict[str, object]:
    section = {
        "accountName": STORAGE,
        "containerName": CONTAINER,
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentialType": "AccountKey",
        "credential": KEY,
        "isSas": False,
        "accountKey": KEY,
        "sasToken": None,
        "subscriptionId": None,
        "resourceGroup": None,
    }
    return {
        "name": DEFAULT,
        "dataStoreType": changed.get("dataStoreType", "AzureBlob"),
        "hasBeenValidated": True,
        "tags": {},
        "azureStorageSection": section | {key: changed[key] for key in section if key in changed},
    }


async def put_blob(request: Request) -> Response:
    if "authorization" not in request.headers and "sig" not in request.query_params:
        return Response(status_code=403)
    path = request.path_params["path"]
    double = state(request)
    with double.lock:
        if request.headers.get("if-none-match") == "*" and _key(path) in double.blobs:
            return Response(status_code=409)
    content = await request.body()
    with double.lock:
        double.blobs[_key(path)] = content
    return Response(status_code=201, headers=_headers(content))


def read_blob(request: Request) -> Response:
    if "authorization" not in request.headers and "sig" not in request.query_params:
        return Response(status_code=403)
    content = blob(request, request.path_params["path"])
    if content is None:
        return Response(status_code=404, headers={"x-ms-error-code": "BlobNotFound"})
    return ranged(request, content)


def blob(request: Request, path: str) -> bytes | None:
    """The bytes at a path of the container: uploaded, or a registered dataset's own file."""
    double = state(request)
    with double.lock:
        if (uploaded := double.blobs.get(_key(path))) is not None:
            return uploaded
    inside = re.fullmatch(rf"{REGISTERED}/(?P<name>.+)/(?P<version>\d+)/[^/]+", path)
    if inside is None:
        return None
    file = original(double.workspace, inside["name"], int(inside["version"]))
    return file.read_bytes() if file else None


def original(engine: LocalWorkspace, name: str, version: int) -> Path | None:
    """The file a dataset of the engine came in."""
    folder = engine.home / "datasets" / name / str(version)
    return next(iter(sorted(folder.glob("original.*"))), None)


def ranged(request: Request, content: bytes) -> Response:
    """All of it, or what ``x-ms-range`` asks for, as the storage service answers."""
    wanted = request.headers.get("x-ms-range") or request.headers.get("range")
    if not wanted or request.method == "HEAD":
        return Response(
            b"" if request.method == "HEAD" else content,
            200,
            _headers(content) | {"content-length": str(len(content))},
        )
    first, last = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted).groups()  # type: ignore[union-attr]
    start, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
    if start > end:
        return Response(status_code=416, headers={"x-ms-error-code": "InvalidRange"})
    place = {"content-range": f"bytes {start}-{end}/{len(content)}"}
    return Response(content[start : end + 1], 206, _headers(content) | place)


def address(path: str) -> str:
    """How a definition names a file of the default datastore."""
    return f"azureml:/{ARM_ADDRESS}/datastores/{DEFAULT}/paths/{quote(path)}"


def _key(path: str) -> str:
    return f"{CONTAINER}/{path}"


def _headers(content: bytes) -> dict[str, str]:
    return {
        "etag": f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT",
        "x-ms-version": "2021-08-06",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-request-id": "00000000-0000-0000-0000-000000000000",
    }


ARM_ADDRESS = ARM.replace("/resourceGroups/", "/resourcegroups/").replace(
    "/providers/Microsoft.MachineLearningServices", ""
)

routes = [
    Route(f"{BASE}/datastores", listed),
    Route(f"{BASE}/datastores/{{name}}", get),
    Route(f"{BASE}/default", default),
]
blob_routes = [
    Route(f"/{CONTAINER}/{{path:path}}", put_blob, methods=["PUT"]),
    Route(f"/{CONTAINER}/{{path:path}}", read_blob, methods=["GET", "HEAD"]),
]
