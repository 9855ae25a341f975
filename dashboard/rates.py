"""What telemetry says of a window in a few numbers: for cards, sparklines and the flow."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from services.attention import Traffic


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


def rates(
    summary: pd.DataFrame, requests: pd.DataFrame, latency: pd.DataFrame | None = None
) -> Rates:
    """Of the rows behind the panels `SUMMARY`, `REQUESTS` and, where asked, `LATENCY`."""
    if summary.empty or not _number(summary["requests"].iloc[0]):
        return Rates(0, 0, None, None, (), ())
    bins = requests.groupby("t")[["requests", "failed"]].sum()
    return Rates(
        request_count=int(summary["requests"].iloc[0]),
        failed_count=int(summary["failed"].iloc[0]),
        p50_ms=_number(summary["p50_ms"].iloc[0]),
        p95_ms=_number(summary["p95_ms"].iloc[0]),
        failed_shares=tuple(map(float, bins["failed"] / bins["requests"])),
        p95s_ms=() if latency is None else tuple(map(float, latency["p95_ms"].dropna())),
    )


def rates_at_once(overview: pd.DataFrame) -> Rates:
    """Of the rows behind the panel `OVERVIEW`."""
    whole = overview[overview["part"] == "whole"]
    bins = overview[overview["part"] == "bin"].sort_values("t")
    if whole.empty:
        return Rates(0, 0, None, None, (), ())
    row = whole.iloc[0]
    return Rates(
        request_count=int(row["requests"]),
        failed_count=int(row["failed"]),
        p50_ms=_number(row["p50_ms"]),
        p95_ms=_number(row["p95_ms"]),
        failed_shares=tuple(map(float, bins["failed"] / bins["requests"])),
        p95s_ms=tuple(map(float, bins["p95_ms"].dropna())),
    )


def traffic_at_once(overview: pd.DataFrame) -> tuple[Traffic, ...]:
    """Of the rows behind the panel `OVERVIEW`, busiest first."""
    return traffic(overview[overview["part"] == "service"])


def traffic(requests: pd.DataFrame) -> tuple[Traffic, ...]:
    """Of the rows behind the panel `REQUESTS`, busiest first."""
    if requests.empty:
        return ()
    sums = requests.groupby("service")[["requests", "failed"]].sum()
    return tuple(
        Traffic(deployment=str(service), request_count=int(total), failed_count=int(failed))
        for service, total, failed in sums.sort_values("requests", ascending=False).itertuples()
    )


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
