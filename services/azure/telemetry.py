"""The telemetry port over the Application Insights resource of an Azure ML workspace."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from services.app_insights.client import Table
from services.app_insights.telemetry import AppInsightsTelemetry, Resource, Spelling
from services.azure import insights_resource
from services.azure.connection import Connection
from services.azure.deadlines import Deadlines
from services.azure.insights_resource import KIND, InsightsResource
from services.azure.sdk_errors import translated
from services.errors import UnavailableError

AT_ONCE = 4  # Azure answers five at a time per identity; one is left for everybody else
ARRIVAL_DELAY = timedelta(minutes=5)


class AzureTelemetry(AppInsightsTelemetry):
    """At most four queries at a time, each within the deadline, waiting included.

    Where the rows are is asked once; answers are not remembered here but by whoever shows
    them, who also knows when the operator wants them anew.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._queries = Deadlines(connection.deadlines.limit_s, AT_ONCE)
        self._known: InsightsResource | None = None
        self._finding = threading.Lock()

    @property
    def resource(self) -> str:
        known = self._found()
        return f"{known.name} (Application Insights)"

    @property
    def connection_string(self) -> str:
        return self._found().connection_string

    @property
    def arrival_delay(self) -> timedelta:
        return ARRIVAL_DELAY

    @property
    def sampled_pct(self) -> float:
        return self._found().sampled_pct

    def _found(self) -> InsightsResource:
        """Remembered once it was found: none of it changes while the resource exists."""
        if self._known is None:
            with self._finding:
                self._known = self._known or insights_resource.find(self._connection)
        return self._known

    def _resource(self) -> Resource:
        known = self._found()
        return Resource(
            base_url=known.base_url,
            app_id=known.app_id,
            collection=known.collection,
            name=known.name,
            token=lambda: self._connection.tokens.get(known.base_url),
        )

    def _spelling(self) -> Spelling:
        known = self._found()
        return Spelling(variant=known.variant, resource_id=known.id if known.shared else "")

    def _table(self, kql: str, timeout_s: float) -> Table:
        known = self._found()
        limit_s = min(timeout_s, self._queries.limit_s)
        deadline = time.monotonic() + limit_s
        answer = super()._table

        def ask() -> Table:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                raise UnavailableError("Four queries are being answered already.")
            return answer(kql, remaining_s)

        with translated(KIND, known.name):
            return self._queries.call("reading telemetry", ask, limit_s=limit_s)
