"""The telemetry port over Application Insights, whoever plays its part."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.app_insights import kql
from services.app_insights.client import (
    QueryClient,
    Table,
    ThrottledError,
    UnreachableError,
    frame,
)
from services.domain import Panel, TimeWindow
from services.errors import UnavailableError
from services.ports import QueryResult, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where queries go."""

    base_url: str
    app_id: str
    token: Callable[[], str] = field(repr=False)
    collection: str = "apps"  # or "workspaces", of Log Analytics
    name: str = ""  # for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """Which names queries use."""

    variant: kql.Variant
    resource_id: str = ""  # the component whose rows count, where several share what is asked


class AppInsightsTelemetry(Telemetry):
    """One round trip per question; nothing is remembered here."""

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._client: QueryClient | None = None  # keeps its connections; set once it was answered

    @abstractmethod
    def _resource(self) -> Resource:
        """The resource to ask now."""

    @abstractmethod
    def _spelling(self) -> Spelling:
        """How that resource is asked."""

    def _unreachable(self) -> str:
        """The sentence for a resource that does not answer at all."""
        return "Application Insights cannot be reached."

    def query(self, kql: str, *, timeout_s: float = 30.0) -> QueryResult:
        began = time.monotonic()
        table = self._table(kql, timeout_s)
        return QueryResult(
            frame=frame(table),
            kql=kql,
            fetched_at=self._clock(),
            elapsed_ms=(time.monotonic() - began) * 1000.0,
            partial=table.partial,
        )

    def _table(self, kql: str, timeout_s: float) -> Table:
        """Asks where it last found somebody, and looks for the address again if nobody is there."""
        deadline = time.monotonic() + timeout_s
        asked = self._client
        if asked is not None:
            try:
                return asked.query(kql, timeout_s=timeout_s)
            except UnreachableError:
                self._client = None
        resource = self._resource()
        client = QueryClient(
            resource.base_url,
            resource.app_id,
            token=resource.token,
            collection=resource.collection,
            name=resource.name,
        )
        try:
            table = client.query(kql, timeout_s=max(0.1, deadline - time.monotonic()))
        except UnreachableError as error:
            raise UnavailableError(self._unreachable()) from error
        except ThrottledError:
            self._client = client  # it remembers until when not to ask
            raise
        self._client = client
        return table

    def panel(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> QueryResult:
        return self.query(self.kql(panel, window, deployment, own_traffic))

    def kql(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> str:
        spelling = self._spelling()
        return kql.text(
            panel,
            window,
            deployment=deployment,
            variant=spelling.variant,
            resource_id=spelling.resource_id,
            own_traffic=own_traffic,
        )
