"""Two load tests side by side, and all of a deployment's in a row (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services import load_test_findings as findings
from services.domain import BenchReport, LoadTest

RANKS = (50, 75, 90, 95, 99, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One percentile of both tests; None where the sample does not support it."""

    rank: int  # 100: the slowest request
    before_ms: float | None
    after_ms: float | None

    @property
    def change(self) -> float | None:
        """How much slower the second is, as a share of the first; negative: faster."""
        if self.before_ms is None or self.after_ms is None or not self.before_ms:
            return None
        return self.after_ms / self.before_ms - 1


def refusal(baseline: LoadTest, other: LoadTest) -> str:
    """Why two tests cannot be compared like for like; empty when they can."""
    if baseline.id == other.id:
        return "Both are the same load test; choose another one."
    for test in (baseline, other):
        if test.report is None:
            return f"“{test.name}” measured nothing, so there is nothing to compare."
        if test.payload_sha256 is None:
            return (
                f"“{test.name}” was imported without its payload, so whether it is like for like "
                "cannot be told."
            )
    if baseline.payload_sha256 != other.payload_sha256:
        return (
            f"These two sent different payloads ({_short(baseline)} and {_short(other)}), so they "
            "are not compared. Run one again with the other's: “Use this payload”."
        )
    return ""


def deltas(baseline: LoadTest, other: LoadTest) -> tuple[Delta, ...]:
    """Each percentile of both. They were not refused."""
    assert baseline.report is not None and other.report is not None
    return tuple(
        Delta(
            rank=rank,
            before_ms=supported_ms(baseline.report, rank),
            after_ms=supported_ms(other.report, rank),
        )
        for rank in RANKS
    )


def supported_ms(report: BenchReport, rank: int) -> float | None:
    """A percentile, where there are requests enough to tell it; 100 is the slowest request."""
    if rank < 100 and findings.unsupported(rank, report):
        return None
    return report.percentiles_ms.get(rank, report.max_ms if rank == 100 else None)


def differences(baseline: LoadTest, other: LoadTest) -> tuple[str, ...]:
    """What else was different, and may be why the figures are: one phrase each."""
    pairs = [
        ("deployment", baseline.deployment, other.deployment),
        ("model", baseline.model_id, other.model_id),
    ]
    if baseline.plan is not None and other.plan is not None:
        pairs += [
            ("at a time", str(baseline.plan.concurrency), str(other.plan.concurrency)),
            ("keep-alive", _switch(baseline.plan.keep_alive), _switch(other.plan.keep_alive)),
        ]
    names = sorted({*baseline.settings, *other.settings} - {"Updated"})
    pairs += [(name, baseline.settings.get(name), other.settings.get(name)) for name in names]
    return tuple(
        f"{name}: {before or 'unknown'} → {after or 'unknown'}"
        for name, before, after in pairs
        if before != after
    )


def trend(tests: Sequence[LoadTest], deployment: str) -> tuple[LoadTest, ...]:
    """Every test of a deployment that measured something, oldest first.

    Steps of a capacity search are left out: they differ by how many were sent at a time.
    """
    found = [
        test
        for test in tests
        if test.deployment == deployment and test.report is not None and test.search_id is None
    ]
    return tuple(sorted(found, key=lambda test: (test.created_at, test.id)))


def against(tests: Sequence[LoadTest], test: LoadTest, pinned: str | None) -> LoadTest | None:
    """What to compare `test` with first: the pinned one, else the one before it like it."""
    others = [each for each in tests if each.id != test.id and each.report is not None]
    for each in others:
        if each.id == pinned:
            return each
    earlier = [each for each in others if each.created_at <= test.created_at]
    like = [each for each in earlier if not refusal(each, test)]
    same = [each for each in like if each.deployment == test.deployment]
    return next(iter(same or like or earlier or others), None)


def _short(test: LoadTest) -> str:
    return (test.payload_sha256 or "")[:8]


def _switch(on: bool) -> str:
    return "on" if on else "off"
