"""Serves the double: a TLS port, a plain port, and the proxy in front of both."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from services.local.workspace import open_workspace
from tests.azure_double.app import create
from tests.azure_double.authority import Authority
from tests.azure_double.proxy import Proxy
from tests.azure_double.state import (
    CLIENT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
    State,
)


@dataclass(frozen=True, slots=True)
class Serving:
    """A double at work."""

    state: State
    proxy_port: int
    control_port: int
    bundle: Path

    def environment(self, home: Path) -> Mapping[str, str]:
        """What a process must be started with to meet this Azure and no other."""
        proxy = f"http://127.0.0.1:{self.proxy_port}"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "HTTP_PROXY": proxy,
            "http_proxy": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
            "HOME": str(home),  # the SDK keeps its discovery cache and tokens there
            "AZUREML_SERVICE_PRINCIPAL_TENANT_ID": TENANT,
            "AZUREML_SERVICE_PRINCIPAL_ID": CLIENT,
            "AZUREML_SERVICE_PRINCIPAL_PASSWORD": self.state.client_secret,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_CLIENT_SECRET": self.state.client_secret,
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_RESOURCE_GROUP": RESOURCE_GROUP,
            "AZURE_ML_WORKSPACE": WORKSPACE,
            "AZURE_DOUBLE_CONTROL": f"http://127.0.0.1:{self.control_port}",
        }


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Serving]:
    """A double whose workspace lives in `folder`; its supervisor is somebody else's to start."""
    authority = Authority(folder / "authority")
    state = State(workspace=open_workspace(folder / "workspace"))
    app = create(state)
    plain, tls = _socket(), _socket()
    plain_server = uvicorn.Server(_config(app))
    tls_server = uvicorn.Server(_config(app, tls=authority))
    proxy = await Proxy(tls_port=tls.getsockname()[1], plain_port=plain.getsockname()[1]).listen()
    tasks = [
        asyncio.create_task(plain_server.serve(sockets=[plain])),
        asyncio.create_task(tls_server.serve(sockets=[tls])),
    ]
    try:
        while not (plain_server.started and tls_server.started):
            await asyncio.sleep(0.01)
        yield Serving(
            state=state,
            proxy_port=proxy.sockets[0].getsockname()[1],
            control_port=plain.getsockname()[1],
            bundle=authority.bundle,
        )
    finally:
        proxy.close()
        plain_server.should_exit = tls_server.should_exit = True
        await asyncio.gather(*tasks)


def _socket() -> socket.socket:
    """Bound before anybody needs its number; IPPROTO_TCP lets asyncio switch Nagle off."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    return listening


def _config(app: object, tls: Authority | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        ssl_context_factory=tls and (lambda config, default: tls.server_context()),
    )
