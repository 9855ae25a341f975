"""Application Insights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.domain import (
    Panel,
    TimeWindow,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """Rows of a KQL query. `frame` is read only: it may be shared."""

    frame: pd.DataFrame  # datetimes are UTC instants, durations float milliseconds
    kql: str
    fetched_at: datetime
    elapsed_ms: float
    partial: str = ""  # why rows are missing, when the service said so


class Telemetry(ABC):
    """What Application Insights recorded. One KQL text per panel for every back end."""

    @property
    @abstractmethod
    def resource(self) -> str:
        """Which Application Insights resource is asked, for people; empty when none is."""

    @property
    def connection_string(self) -> str:
        """Where telemetry is sent. It holds a key; empty while nobody takes telemetry in."""
        return ""

    @property
    def arrival_delay(self) -> timedelta:
        """How long after a request its row can usually be asked for."""
        return timedelta(seconds=5)

    @property
    def sampled_pct(self) -> float:
        """The share of what is sent that the resource keeps, in percent."""
        return 100.0

    @abstractmethod
    def query(self, kql: str, *, timeout_s: float = 30.0) -> QueryResult:
        """Run a read-only KQL query.

        Raises:
            InvalidRequestError: the query is wrong; the message is the service's own.
        """

    @abstractmethod
    def panel(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> QueryResult:
        """The rows behind one panel, of one deployment or of all.

        Columns per panel are documented in ``services.app_insights.kql``.

        Args:
            own_traffic: False leaves out what load tests and probes sent.
        """

    @abstractmethod
    def kql(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> str:
        """The query `panel` would send."""
