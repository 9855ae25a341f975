"""``<service>.westeurope.azurecontainer.io``: requests go on to the server they name."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.errors import NotFoundError
from tests.azure_double.answers import state
from tests.azure_double.state import State

TIMEOUT_S = 70.0
OF_ONE_HOP = ("connection", "transfer-encoding", "content-length", "date", "server", "host")


async def forward(request: Request) -> Response:
    """The request as it came, key included, to the real server; its answer as it is."""
    body = await request.body()
    return await run_in_threadpool(_forward, state(request), request, body)


def _forward(double: State, request: Request, body: bytes) -> Response:
    name = request.path_params["service"]
    try:
        address = double.workspace.deployments.get(name).scoring_uri
    except NotFoundError:
        address = None
    if address is None:
        return Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")
    target = f"/{request.path_params['path']}"
    if request.url.query:
        target = f"{target}?{request.url.query}"
    headers = {k: v for k, v in request.headers.items() if k not in OF_ONE_HOP}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S)
    try:
        connection.request(request.method, target, body, headers)
        answer = connection.getresponse()
        contents = answer.read()
    except (OSError, http.client.HTTPException):
        return Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")
    finally:
        connection.close()
    kept = {k: v for k, v in answer.getheaders() if k.lower() not in OF_ONE_HOP}
    return Response(contents, answer.status, kept)


METHODS = ["GET", "POST", "OPTIONS"]
routes = [Route("/{path:path}", forward, methods=METHODS)]
