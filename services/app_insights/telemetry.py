"""The telemetry port over Application Insights, whoever plays its part."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.app_insights import kql
from services.app_insights.client import QueryClient, UnreachableError, frame
from services.domain import Panel, TimeWindow
from services.errors import UnavailableError
from services.ports import QueryResult, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where queries go."""

    base_url: str
    app_id: str
    token: Callable[[], str] = field(repr=False)


class AppInsightsTelemetry(Telemetry):
    """One round trip per question; nothing is remembered here."""

    def __init__(
        self, variant: kql.Variant, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._variant = variant
        self._clock = clock
        self._client: tuple[str, QueryClient] | None = None  # with the address it asks

    @abstractmethod
    def _resource(self) -> Resource:
        """The resource to ask now."""

    def _unreachable(self) -> str:
        """The sentence for a resource that does not answer at all."""
        return "Application Insights cannot be reached."

    def query(self, kql: str, *, timeout_s: float = 30.0) -> QueryResult:
        began = time.monotonic()
        try:
            table = self._asking(self._resource()).query(kql, timeout_s=timeout_s)
        except UnreachableError as error:
            raise UnavailableError(self._unreachable()) from error
        return QueryResult(
            frame=frame(table),
            kql=kql,
            fetched_at=self._clock(),
            elapsed_ms=(time.monotonic() - began) * 1000.0,
            partial=table.partial,
        )

    def _asking(self, resource: Resource) -> QueryClient:
        """A client keeps its connections, so there is one for as long as the address stays."""
        address = f"{resource.base_url} {resource.app_id}"
        if self._client is None or self._client[0] != address:
            client = QueryClient(resource.base_url, resource.app_id, token=resource.token)
            self._client = (address, client)
        return self._client[1]

    def panel(self, panel: Panel, window: TimeWindow, deployment: str | None = None) -> QueryResult:
        return self.query(self.kql(panel, window, deployment))

    def kql(self, panel: Panel, window: TimeWindow, deployment: str | None = None) -> str:
        return kql.text(panel, window, deployment=deployment, variant=self._variant)
