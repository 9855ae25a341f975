"""Load tests and what they measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LoadTestState(StrEnum):
    QUEUED = "Queued"
    RUNNING = "Running"
    COMPLETED = "Completed"
    STOPPED = "Stopped"
    FAILED = "Failed"

    @property
    def settled(self) -> bool:
        return self not in (LoadTestState.QUEUED, LoadTestState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTestPlan:
    """What to send: `requests` in all, or for `seconds`; exactly one of the two is set."""

    deployment: str
    payload: str = field(repr=False)  # the JSON body, sent as it stands
    requests: int | None = None
    seconds: int | None = None
    concurrency: int = 1
    keep_alive: bool = False
    timeout_s: int = 60
    # The deployment's guard rails, which the workspace fills in when the test is asked for.
    request_budget: int | None = None
    stop_at_failure_pct: float | None = None  # None: it does not stop by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """One row of Apache Benchmark's connection times, in whole milliseconds."""

    name: str  # "Connect", "Processing", "Waiting" or "Total"
    min_ms: float
    mean_ms: float
    deviation_ms: float
    median_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReport:
    """Apache Benchmark's own figures. Times in milliseconds."""

    complete_count: int
    failed_count: int
    requests_per_s: float
    mean_ms: float  # time per request, across one client
    total_s: float
    percentiles_ms: Mapping[int, float]  # 50, 66, 75, 80, 90, 95, 98, 99, 100 at least
    min_ms: float | None = None
    max_ms: float | None = None
    mean_across_ms: float | None = None  # time per request, across all concurrent requests
    concurrency: int | None = None
    failures: Mapping[str, int] = field(default_factory=dict)  # by ab's causes: Connect, Receive …
    non_2xx_count: int = 0
    write_error_count: int = 0
    keep_alive_count: int | None = None
    transferred_bytes: int | None = None
    sent_bytes: int | None = None
    body_bytes: int | None = None  # of all answers, without their headers
    server_software: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    document_length_bytes: int | None = None
    transfer_kb_per_s: float | None = None
    phases: tuple[PhaseTimes, ...] = ()
    histogram: tuple[tuple[float, float, int], ...] = ()  # (from ms, to ms, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTally:
    """What the answers of a load test said, beyond how long they took."""

    result_codes: Mapping[str, int]  # HTTP status as text → how many answers
    semantic_failure_count: int  # 200 whose body, or header, reports an error
    unlike_count: int = 0  # 200 whose body has not the length of the checked answer
    run_percentiles_ms: Mapping[int, float] = field(default_factory=dict)  # inside run()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """One Apache Benchmark run: *n* requests, *c* at a time."""

    id: str
    name: str
    state: LoadTestState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deployment: str | None  # None for an imported report
    model_id: str | None
    plan: LoadTestPlan | None
    payload_sha256: str | None
    done_count: int  # requests so far
    report: BenchReport | None
    semantic_failure_count: int | None = None  # 200 whose body is an error; None: not checked
    error: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)  # of the deployment at the start
    imported: bool = False
    answers: AnswerTally | None = None  # None: nobody looked inside them
    warnings: tuple[str, ...] = ()  # of Apache Benchmark, about its own figures
    search_id: str | None = None  # the capacity search it is a step of
