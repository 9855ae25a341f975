"""The addresses of the pages, answered with our own front page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import front_page
from dashboard.navigation import REGISTRY, PageDef


def _route(page: PageDef) -> Route:
    document = front_page.page(f"{page.title} · Azure ML operator")

    async def answer(_: Request) -> Response:
        return HTMLResponse(document, headers={"Cache-Control": "no-cache"})

    return Route("/" if page is REGISTRY[0] else f"/{page.file}", answer)


async def _home(request: Request) -> Response:
    """Streamlit knows its first page by the bare address only."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}")


routes = [*map(_route, REGISTRY), Route(f"/{REGISTRY[0].file}", _home)]
