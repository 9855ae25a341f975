"""The addresses of the pages, answered with our own front page."""

from __future__ import annotations

import brotli
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import front_page
from dashboard.compression import QUALITY, accepts_brotli, entity_tag
from dashboard.navigation import REGISTRY, PageDef


def _route(page: PageDef) -> Route:
    document = front_page.page(f"{page.title} · Azure ML operator").encode()
    small, tag = brotli.compress(document, quality=QUALITY), entity_tag(document)
    headers = {"Cache-Control": "no-cache", "ETag": tag, "Vary": "Accept-Encoding"}

    async def answer(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if accepts_brotli(request.headers.get("accept-encoding", "")):
            return HTMLResponse(small, headers={**headers, "Content-Encoding": "br"})
        return HTMLResponse(document, headers=headers)

    return Route("/" if page is REGISTRY[0] else f"/{page.file}", answer)


async def _home(request: Request) -> Response:
    """Streamlit knows its first page by the bare address only."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}")


routes = [*map(_route, REGISTRY), Route(f"/{REGISTRY[0].file}", _home)]
