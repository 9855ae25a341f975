"""The dashboard as one ASGI application: the pages, the REST routes, and what surrounds both.

python -m dashboard
uvicorn --factory dashboard.server:create
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from dashboard import events, prewarm
from dashboard.compression import CompressedFiles, Compression
from dashboard.security import SecurityHeaders
from dashboard.supervision import supervised

HERE = Path(__file__).resolve().parent


def create(*, home: Path | None = None, hosts: Sequence[str] = ("*",)) -> st.App:
    """The application, ready for an ASGI server.

    Args:
        home: Keep a supervisor running on the local workspace in this folder.
        hosts: The names this server answers to; ``*`` for any.
    """
    files = CompressedFiles()

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if home is not None:
                await stack.enter_async_context(supervised(home))
            prewarm.begin(files)
            yield

    return st.App(
        HERE / "app.py",
        routes=routes(),
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(SecurityHeaders),
            Middleware(Compression, files=files),
        ],
        lifespan=lifespan,
        on_script_error=events.failed,
    )


def routes() -> list[BaseRoute]:
    """What every ``dashboard/routes_….py`` serves, in its list `routes`."""
    found: list[BaseRoute] = []
    for path in sorted(HERE.glob("routes_*.py")):
        found.extend(importlib.import_module(f"dashboard.{path.stem}").routes)
    return found
