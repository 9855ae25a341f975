"""What probes found over a stretch of time (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services import percentiles
from services.alerts.records import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """Of some probes. A share of few probes is a rough figure, so their number belongs to it."""

    probe_count: int
    ok_count: int
    p50_ms: float | None  # of the probes that were answered well
    p95_ms: float | None  # None where too few were made to tell
    last_failure: ProbeResult | None

    @property
    def share(self) -> float | None:
        return self.ok_count / self.probe_count if self.probe_count else None


def uptime(results: Sequence[ProbeResult]) -> Uptime:
    """Args: results: newest first."""
    durations = sorted(each.duration_ms for each in results if each.ok)
    ranks = [rank for rank in (50, 95) if percentiles.supported(rank, len(durations))]
    found = percentiles.percentiles(durations, ranks)
    return Uptime(
        probe_count=len(results),
        ok_count=len(durations),
        p50_ms=found.get(50),
        p95_ms=found.get(95),
        last_failure=next((each for each in results if not each.ok), None),
    )
