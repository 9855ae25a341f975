"""Metrics against the bands set for them (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.alerts.records import Band, BandCheck, Verdict


def verdict(band: Band, value: float | None) -> Verdict:
    """Fail outside the outer limits, or without a value; Warn outside the inner ones."""
    if value is None or value != value:
        return Verdict.FAIL
    if _outside(value, band.fail_below, band.fail_above):
        return Verdict.FAIL
    if _outside(value, band.warn_below, band.warn_above):
        return Verdict.WARN
    return Verdict.PASS


def checks(
    run_id: str, metrics: Mapping[str, float], bands: Iterable[Band], *, at: datetime
) -> tuple[BandCheck, ...]:
    """One check per band, in their order."""
    return tuple(
        BandCheck(
            run_id=run_id,
            band=band,
            value=metrics.get(band.metric),
            verdict=verdict(band, metrics.get(band.metric)),
            at=at,
        )
        for band in bands
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Of a run's verdicts; None when nothing was checked."""
    order = (Verdict.FAIL, Verdict.WARN, Verdict.PASS)
    return min(verdicts, key=order.index, default=None)


def described(band: Band) -> str:
    """``at least 0.94 (warns below 0.945)``."""
    parts = []
    if band.fail_below is not None:
        parts.append(f"at least {band.fail_below:g}")
    if band.fail_above is not None:
        parts.append(f"at most {band.fail_above:g}")
    warns = []
    if band.warn_below is not None:
        warns.append(f"below {band.warn_below:g}")
    if band.warn_above is not None:
        warns.append(f"above {band.warn_above:g}")
    text = ", ".join(parts)
    warning = f"warns {' and '.join(warns)}" if warns else ""
    return f"{text} ({warning})" if text and warning else text or warning


def _outside(value: float, below: float | None, above: float | None) -> bool:
    return (below is not None and value < below) or (above is not None and value > above)
