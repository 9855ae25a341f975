"""Windows of time and what telemetry is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Half-open: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    bin: timedelta

    @property
    def length(self) -> timedelta:
        return self.end - self.start


class Panel(StrEnum):
    """The questions the dashboard asks of telemetry; one KQL template each."""

    SUMMARY = "summary of the window"
    LATENCY = "latency"
    REQUESTS = "requests"
    FAILURES = "failures"
    RESULT_CODES = "result codes"
    AVAILABILITY_TRAFFIC = "availability from traffic"
    AVAILABILITY_TESTS = "availability tests"
    SLOWEST = "slowest requests"
    EXCEPTIONS = "exceptions"
    TRACES = "traces"
    CAPTURED = "captured inputs and outputs"
    DEPLOYMENTS = "requests per deployment"
    SUSPECT_ANSWERS = "answers that may be errors"
    ARRIVALS = "what arrived of whom"
    OVERVIEW = "summary, bins and deployments at once"
    BIN_REQUESTS = "requests of one bin"
    BIN_EXCEPTIONS = "exceptions of one bin"
    BIN_TRACES = "traces of one bin"
