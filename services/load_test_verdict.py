"""Whether a load test kept its thresholds, and which one it broke (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services import load_test_findings as findings
from services.domain import LoadTest
from services.load_test_rules import Thresholds


class Outcome(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "Cannot tell"  # the sample is too small


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a load test kept its thresholds; `reasons` names each rule that decided."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()


def judge(test: LoadTest, thresholds: Thresholds) -> Verdict | None:
    """The verdict on a load test; None when nothing was measured or nothing is asked."""
    if test.report is None or not thresholds.given:
        return None
    if broken := (*_too_slow(test, thresholds), *_others(test, thresholds)):
        return Verdict(outcome=Outcome.FAIL, reasons=broken)
    why_not = findings.unsupported(95, test.report) if thresholds.p95_ms is not None else ""
    if why_not:
        return Verdict(outcome=Outcome.UNDECIDED, reasons=(why_not,))
    return Verdict(outcome=Outcome.PASS)


def _too_slow(test: LoadTest, thresholds: Thresholds) -> tuple[str, ...]:
    report, limit = test.report, thresholds.p95_ms
    if report is None or limit is None or findings.unsupported(95, report):
        return ()
    p95_ms = report.percentiles_ms.get(95)
    if p95_ms is None or p95_ms <= limit:
        return ()
    return (f"p95 is {_figure(p95_ms)} ms; the limit is {_figure(limit)} ms",)


def _others(test: LoadTest, thresholds: Thresholds) -> tuple[str, ...]:
    assert test.report is not None  # judge has seen to it
    share = findings.failure_share(test)
    most, least = thresholds.failure_pct, thresholds.requests_per_s
    rate = test.report.requests_per_s
    found = []
    if most is not None and share is not None and 100 * share > most:
        found.append(f"{_figure(100 * share)} % failed; the limit is {_figure(most)} %")
    if least is not None and rate < least:
        found.append(f"{_figure(rate)} requests/s; at least {_figure(least)} are asked for")
    return tuple(found)


def _figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
