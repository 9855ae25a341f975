"""Where this workspace's telemetry server is, and what callers must know. Kept in the store."""

from __future__ import annotations

import secrets
import uuid

from services.app_insights.connection import Connection
from services.local.store import Store
from services.local.telemetry.access import Access

PORT = "telemetry_port"
PROBLEM = "telemetry_problem"  # why it could not start; `ProcessTable.server` shows it


def access(store: Store) -> Access:
    """The identity of the workspace's telemetry, decided once by whoever asks first."""
    return Access(
        instrumentation_key=_decided(store, "telemetry_instrumentation_key", str(uuid.uuid4())),
        application_id=_decided(store, "telemetry_application_id", str(uuid.uuid4())),
        query_token=_decided(store, "telemetry_query_token", secrets.token_urlsafe(32)),
    )


def _decided(store: Store, name: str, otherwise: str) -> str:
    """Reading first spares a write transaction for what was decided long ago."""
    return store.setting(name) or store.setting_or(name, otherwise)


def told(store: Store, problem: str) -> None:
    """Keep why the server does not run, where those who ask it find the reason."""
    if (store.setting(PROBLEM) or "") != problem:
        store.set_setting(PROBLEM, problem)


def base_url(store: Store) -> str:
    """The server's address, without a slash at the end; empty until it first started."""
    port = store.setting(PORT)
    return f"http://127.0.0.1:{port}" if port else ""


def connection_string(store: Store) -> str:
    """What a sender needs; empty until the server first started."""
    address = base_url(store)
    if not address:
        return ""
    known = access(store)
    return str(
        Connection(
            instrumentation_key=known.instrumentation_key,
            ingestion_endpoint=f"{address}/",
            application_id=known.application_id,
        )
    )
