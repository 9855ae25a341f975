"""How a retraining pipeline has been doing (pure): success, duration, metrics, a good model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from services.alerts import bands as band_rules
from services.alerts.records import Band, Verdict
from services.domain import PipelineRun, RunStatus

RECENT = 5  # runs a trend compares with those before them


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrain:
    """One run of the pipeline, with what its training logged."""

    run: PipelineRun
    metrics: Mapping[str, float]
    verdicts: Mapping[str, Verdict]  # by metric that has a band
    read: bool = True  # whether its metrics are known

    @property
    def verdict(self) -> Verdict | None:
        """Of the run as a whole; None when it has not ended, or nothing is expected of it."""
        if self.run.status is RunStatus.FAILED:
            return Verdict.FAIL
        if self.run.status is not RunStatus.COMPLETED or not self.read:
            return None
        return band_rules.worst(self.verdicts.values()) or Verdict.PASS

    @property
    def minutes(self) -> float | None:
        if self.run.started_at is None or self.run.ended_at is None:
            return None
        return (self.run.ended_at - self.run.started_at).total_seconds() / 60

    @property
    def good(self) -> bool:
        """It completed and no metric failed its band."""
        return self.verdict in (Verdict.PASS, Verdict.WARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The whole pipeline, over the runs that were looked at."""

    retrains: tuple[Retrain, ...]  # oldest first
    settled_count: int  # Completed or Failed; a canceled run is neither
    completed_count: int
    last_good: Retrain | None
    usual_min: float | None  # the median of earlier completed runs
    recent_min: float | None  # the median of the last few

    @property
    def success_rate(self) -> float | None:
        return self.completed_count / self.settled_count if self.settled_count else None

    @property
    def drift(self) -> float | None:
        """How much longer the last runs took than those before; 0.1 is ten percent."""
        if not self.usual_min or self.recent_min is None:
            return None
        return self.recent_min / self.usual_min - 1

    def age(self, now: datetime) -> timedelta | None:
        """Since the last good model was made."""
        if self.last_good is None or self.last_good.run.ended_at is None:
            return None
        return now - self.last_good.run.ended_at


def standing(
    runs: Sequence[PipelineRun],
    metrics: Mapping[str, Mapping[str, float]],
    bands: Sequence[Band],
    *,
    since: datetime | None = None,
    unread: Collection[str] = (),
) -> Standing:
    """What the runs of one pipeline amount to.

    Args:
        runs: in any order.
        metrics: training run id → its metrics.
        bands: of the experiment the pipeline trains in.
        since: leave out runs created earlier.
        unread: completed runs whose metrics nobody has read yet.
    """
    chosen = sorted(
        (run for run in runs if since is None or run.created_at >= since),
        key=lambda run: run.created_at,
    )
    retrains = tuple(
        _retrain(run, metrics.get(run.training_run_id or "", {}), bands, read=run.id not in unread)
        for run in chosen
    )
    completed = [each for each in retrains if each.run.status is RunStatus.COMPLETED]
    failed = [each for each in retrains if each.run.status is RunStatus.FAILED]
    minutes = [each.minutes for each in completed if each.minutes is not None]
    earlier, recent = minutes[:-RECENT], minutes[-RECENT:]
    return Standing(
        retrains=retrains,
        settled_count=len(completed) + len(failed),
        completed_count=len(completed),
        last_good=next((each for each in reversed(retrains) if each.good), None),
        usual_min=median(earlier) if earlier else None,
        recent_min=median(recent) if recent else None,
    )


def _retrain(
    run: PipelineRun, metrics: Mapping[str, float], bands: Sequence[Band], *, read: bool
) -> Retrain:
    checked = bands if run.status is RunStatus.COMPLETED and read else ()
    return Retrain(
        run=run,
        read=read,
        metrics=metrics,
        verdicts={
            band.metric: band_rules.verdict(band, metrics.get(band.metric)) for band in checked
        },
    )
