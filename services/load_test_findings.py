"""What the figures of a load test mean: failures by cause, the margin to the limit (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services import percentiles
from services.domain import BenchReport, LoadTest
from services.scoring import SCORING_LIMIT_S

SHOWN_RANKS = (50, 90, 95, 99)


class Side(StrEnum):
    """Where a failure was noticed."""

    CLIENT = "connection"  # ab never got a whole answer
    STATUS = "status"  # an answer other than 2xx
    SEMANTIC = "answer"  # 2xx, and an error inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One way in which requests failed, and how many did."""

    side: Side
    name: str
    count: int
    meaning: str


def causes(test: LoadTest) -> tuple[Cause, ...]:
    """Failures by cause, from the connection inwards; only causes that occurred."""
    if test.report is None:
        return ()
    found = (*_client(test.report), *_status(test), *_semantic(test))
    return tuple(cause for cause in found if cause.count)


def failure_count(test: LoadTest) -> int:
    """How many requests failed in any way.

    ``ab`` counts an answer of another length as failed unless told otherwise, and such an
    answer is usually an error that is counted again by its status or its body; the larger
    of the two stands for both.
    """
    report = test.report
    if report is None:
        return 0
    length = report.failures.get("Length", 0)
    answered = report.non_2xx_count + (test.semantic_failure_count or 0)
    return report.failed_count - length + max(length, answered)


def failure_share(test: LoadTest) -> float | None:
    """Failures among everything that was tried; None when nothing was."""
    if test.report is None:
        return None
    tried = test.report.complete_count + test.report.failures.get("Connect", 0)
    return min(1.0, failure_count(test) / tried) if tried else None


def margin_ms(report: BenchReport) -> float | None:
    """How far the slowest request stayed below Azure's limit; negative when it did not."""
    return None if report.max_ms is None else SCORING_LIMIT_S * 1000 - report.max_ms


def needed(rank: int) -> int:
    """How many requests a percentile needs."""
    return percentiles.needed_count(rank)


def unsupported(rank: int, report: BenchReport) -> str:
    """Why a percentile says nothing with so few requests; empty when it says something."""
    if percentiles.supported(rank, report.complete_count):
        return ""
    return f"p{rank} not supported by {report.complete_count:,} samples: it needs {needed(rank)}"


def _client(report: BenchReport) -> tuple[Cause, ...]:
    counts = report.failures

    def cause(name: str, count: int, meaning: str) -> Cause:
        return Cause(side=Side.CLIENT, name=name, count=count, meaning=meaning)

    return (
        cause("Connect", counts.get("Connect", 0), "No connection could be made."),
        cause("Receive", counts.get("Receive", 0), "The connection broke before the answer."),
        cause("Exceptions", counts.get("Exceptions", 0), "The connection was reset."),
        cause("Write errors", report.write_error_count, "The request could not be sent."),
        cause("Length", counts.get("Length", 0), "Another length than the first answer."),
    )


def _status(test: LoadTest) -> tuple[Cause, ...]:
    codes = test.answers.result_codes if test.answers else {}
    bad = {code: count for code, count in codes.items() if not code.startswith("2")}
    if not bad and test.report and test.report.non_2xx_count:
        bad = {"not 2xx": test.report.non_2xx_count}
    return tuple(
        Cause(
            side=Side.STATUS,
            name=f"Status {code}" if code.isdigit() else "Status not 2xx",
            count=count,
            meaning=_STATUS_MEANINGS.get(code, "The deployment answered with an error."),
        )
        for code, count in bad.items()
    )


_STATUS_MEANINGS = {
    "400": "The deployment could not read the payload.",
    "401": "The key was not accepted.",
    "413": "The payload is larger than the deployment accepts.",
    "429": "The deployment refused to take more requests.",
    "500": "The scoring script failed.",
    "502": "The server behind the address was not reached.",
    "503": "Not ready, or too much to do.",
    "504": "The deployment took too long.",
}


def _semantic(test: LoadTest) -> tuple[Cause, ...]:
    if test.answers is None:
        return ()
    return (
        Cause(
            side=Side.SEMANTIC,
            name="Error inside a 200",
            count=test.answers.semantic_failure_count,
            meaning="Success by status, an error message inside.",
        ),
        Cause(
            side=Side.SEMANTIC,
            name="Unlike the checked answer",
            count=test.answers.unlike_count,
            meaning="Another length than the answer checked first.",
        ),
    )
