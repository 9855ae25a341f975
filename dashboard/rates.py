"""What telemetry says of a window in a few numbers: for cards, sparklines and the flow."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from services.attention import Traffic

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests of the whole window, and bin by bin for a sparkline."""

    request_count: int
    failed_count: int
    p50_ms: float | None
    p95_ms: float | None
    failed_shares: tuple[float, ...]  # per bin with requests, oldest first
    p95s_ms: tuple[float, ...]

    @property
    def failure_rate(self) -> float:
        return self.failed_count / self.request_count if self.request_count else 0.0


def rates(overview: pd.DataFrame) -> Rates:
    """Of the rows behind the panel `OVERVIEW`."""
    rows = _rows(overview)
    whole = next((each for each in rows if each["part"] == "whole"), None)
    if whole is None:
        return Rates(0, 0, None, None, (), ())
    bins = sorted((each for each in rows if each["part"] == "bin"), key=itemgetter("t"))
    p95s_ms = (_number(each["p95_ms"]) for each in bins)
    return Rates(
        request_count=int(whole["requests"]),
        failed_count=int(whole["failed"]),
        p50_ms=_number(whole["p50_ms"]),
        p95_ms=_number(whole["p95_ms"]),
        failed_shares=tuple(each["failed"] / each["requests"] for each in bins),
        p95s_ms=tuple(each for each in p95s_ms if each is not None),
    )


def traffic(overview: pd.DataFrame) -> tuple[Traffic, ...]:
    """Of the rows behind the panel `OVERVIEW`, busiest first."""
    services = [each for each in _rows(overview) if each["part"] == "service"]
    return tuple(
        Traffic(
            deployment=str(each["service"]),
            request_count=int(each["requests"]),
            failed_count=int(each["failed"]),
        )
        for each in sorted(services, key=itemgetter("requests"), reverse=True)
    )


def _rows(overview: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """A few hundred rows: pandas takes longer to begin than this takes."""
    return overview.to_dict("records")


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
