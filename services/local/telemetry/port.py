"""The telemetry port of a local workspace: the common client, pointed at our own server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from services.app_insights.kql import Variant
from services.app_insights.telemetry import AppInsightsTelemetry, Resource, Spelling
from services.errors import UnavailableError
from services.local.clock import Clock, utc_now
from services.local.store import Store
from services.local.telemetry import identity


class LocalTelemetry(AppInsightsTelemetry):
    """Finds the server's present address for every query: it may have changed."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        super().__init__(clock=clock)
        self._home = home
        self._store = store
        self._access = cache(lambda: identity.access(store))  # it never changes

    @property
    def resource(self) -> str:
        return f"this workspace's telemetry server, {self._home / 'telemetry'}"

    @property
    def connection_string(self) -> str:
        return identity.connection_string(self._store)

    def _resource(self) -> Resource:
        address = identity.base_url(self._store)
        if not address:
            raise UnavailableError(
                "The telemetry server has not started yet; it starts with the workspace "
                "(make run, or make workspace)."
            )
        access = self._access()
        return Resource(
            base_url=address, app_id=access.application_id, token=lambda: access.query_token
        )

    def _spelling(self) -> Spelling:
        return Spelling(variant=Variant.LOCAL)

    def _unreachable(self) -> str:
        if problem := self._store.setting(identity.PROBLEM):
            return f"The telemetry server is not running. {problem}"
        return (
            "The telemetry server is not running; the workspace's supervisor starts it "
            "(make run, or make workspace)."
        )

    def secrets(self) -> Iterator[str]:
        """What must never be shown or logged."""
        access = self._access()
        yield access.instrumentation_key
        yield access.query_token
