"""Blob storage of the workspace: what a shared access signature lets one read or write."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.errors import NotFoundError
from tests.azure_double.answers import state
from tests.azure_double.run_artifacts import container_run, content
from tests.azure_double.state import STORAGE, State

HOST = f"{STORAGE}.blob.core.windows.net"
CONTAINER = "azureml"
SIGNATURE = "bG9vcGJhY2stc2lnbmF0dXJl"  # nobody but the holder of an address may know it
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def address(path: str, *, container: str = CONTAINER) -> str:
    """Where a blob is read, with the signature that allows it."""
    return (
        f"https://{HOST}/{container}/{path}"
        f"?sv=2019-07-07&sr=b&sig={SIGNATURE}%3D&se=2030-01-01T00%3A00%3A00Z&sp=rw"
    )


def read(request: Request) -> Response:
    """The whole of it, or the range asked for: then 206, as the SDK insists."""
    signed = SIGNATURE in request.query_params.get("sig", "")
    if not signed and "authorization" not in request.headers:
        return _refusal(403, "AuthenticationFailed")
    try:
        contents = _contents(state(request), request.path_params["path"])
    except (NotFoundError, KeyError):
        return _refusal(404, "BlobNotFound")
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{len(contents):x}"',
        "Last-Modified": "Wed, 01 May 2024 09:00:00 GMT",
        "x-ms-blob-type": "BlockBlob",
    }
    asked = RANGE.fullmatch(request.headers.get("x-ms-range") or request.headers.get("range") or "")
    if asked is None:
        return Response(contents, headers=headers, media_type="application/octet-stream")
    first, last = int(asked[1]), min(int(asked[2] or len(contents)), len(contents) - 1)
    if first >= len(contents):
        return _refusal(416, "InvalidRange")
    headers["Content-Range"] = f"bytes {first}-{last}/{len(contents)}"
    return Response(contents[first : last + 1], 206, headers)


async def write(request: Request) -> Response:
    contents = await request.body()
    double = state(request)
    with double.lock:
        double.blobs[request.path_params["path"]] = contents
    return Response(status_code=201, headers={"ETag": f'"{len(contents):x}"'})


def _contents(double: State, path: str) -> bytes:
    with double.lock:
        kept = double.blobs.get(path)
    if kept is not None:
        return kept
    parts = path.split("/", 3)
    if len(parts) < 4 or parts[:2] != [CONTAINER, "ExperimentRun"]:
        raise KeyError(path)
    return content(double, container_run(parts[2]), parts[3])


def _refusal(status: int, code: str) -> Response:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Response(body, status, {"x-ms-error-code": code}, media_type="application/xml")


routes = [
    Route("/{path:path}", read, methods=["GET", "HEAD"]),
    Route("/{path:path}", write, methods=["PUT"]),
]
