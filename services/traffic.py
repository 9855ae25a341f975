"""What a window's requests amount to: one record per deployment, or for all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.ports import QueryResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests of one window. Durations are None when there were none: never 0."""

    requests: int
    failed: int
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_seen: datetime | None

    @property
    def failure_rate(self) -> float | None:
        """A share of 1; None when nobody asked, which is no success."""
        return self.failed / self.requests if self.requests else None


def total(summary: QueryResult) -> Traffic:
    """Of `Panel.SUMMARY`: everything that was asked for."""
    rows = summary.frame.to_dict("records")
    return _traffic(rows[0] if rows else {})


def by_deployment(deployments: QueryResult) -> Mapping[str, Traffic]:
    """Of `Panel.DEPLOYMENTS`: by name, busiest first. Absent: no requests in the window."""
    rows = deployments.frame.to_dict("records")
    return {str(row["service"]): _traffic(row) for row in rows}


def _traffic(row: Mapping[Any, Any]) -> Traffic:
    seen = row.get("last_seen")
    return Traffic(
        requests=int(_number(row.get("requests")) or 0),
        failed=int(_number(row.get("failed")) or 0),
        mean_ms=_number(row.get("mean_ms")),
        p50_ms=_number(row.get("p50_ms")),
        p95_ms=_number(row.get("p95_ms")),
        p99_ms=_number(row.get("p99_ms")),
        # A missing instant is a value of its own in a frame, unequal to itself.
        last_seen=None if seen is None or seen != seen else seen.to_pydatetime(),
    )


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(float(value)) else float(value)
