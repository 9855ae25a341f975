"""Load tests that have already happened, or are on their way.

    load_tests.finished(store, deployment="bank")             # 400 requests, all well
    load_tests.finished(store, result_codes={"200": 390, "503": 10}, semantic=25)
    load_tests.running(store, done_count=120)
    load_tests.failed(store, error="…")

Times are drawn once from a seeded log-normal, so percentiles, histogram and maximum agree.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services import percentiles
from services.domain import AnswerTally, BenchReport, LoadTestState, PhaseTimes
from services.local.load_test_rows import answers_json, report_json
from services.local.store import Store, stamp

STARTED = datetime(2024, 5, 2, 14, 30, tzinfo=UTC)
PAYLOAD = json.dumps({"data": [{"age": 38, "job": "admin."}]})


def finished(
    store: Store,
    *,
    deployment: str = "bank",
    requests: int = 400,
    concurrency: int = 4,
    seconds: int | None = None,
    median_ms: float = 12.0,
    result_codes: Mapping[str, int] | None = None,
    semantic: int = 0,
    unlike: int = 0,
    failures: Mapping[str, int] | None = None,
    state: LoadTestState = LoadTestState.COMPLETED,
    payload: str = PAYLOAD,
    model_id: str = "bank:1",
    at: datetime = STARTED,
    seed: int = 7,
) -> str:
    """Record one that ran to its end; answers its id."""
    report = _report(requests, concurrency, median_ms, failures or {}, seed)
    codes = dict(result_codes or {"200": requests})
    bad = sum(count for code, count in codes.items() if not code.startswith("2"))
    tally = AnswerTally(
        result_codes=codes,
        semantic_failure_count=semantic,
        unlike_count=unlike,
        run_percentiles_ms={50: median_ms / 4, 95: median_ms / 2, 99: median_ms, 100: median_ms},
    )
    return _insert(
        store,
        deployment=deployment,
        payload=payload,
        requests=None if seconds else requests,
        seconds=seconds,
        concurrency=concurrency,
        model_id=model_id,
        at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=report.total_s),
        outcome=state,
        done_count=requests,
        report=report_json(replace(report, non_2xx_count=bad)),
        answers=answers_json(tally),
    )


def running(
    store: Store,
    *,
    deployment: str = "bank",
    requests: int = 400,
    done_count: int = 120,
    at: datetime = STARTED,
) -> str:
    """Record one that has sent `done_count` of its requests."""
    return _insert(
        store, deployment=deployment, requests=requests, at=at, started_at=at, done_count=done_count
    )


def queued(store: Store, *, deployment: str = "bank", at: datetime = STARTED) -> str:
    """Record one that was asked for and has not begun."""
    return _insert(store, deployment=deployment, requests=400, at=at)


def failed(
    store: Store,
    *,
    deployment: str = "bank",
    error: str = "The test did not begin. The deployment could not read the request.",
    at: datetime = STARTED,
) -> str:
    """Record one that measured nothing."""
    return _insert(
        store,
        deployment=deployment,
        requests=400,
        at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=1),
        outcome=LoadTestState.FAILED,
        error=error,
    )


def _report(
    requests: int, concurrency: int, median_ms: float, failures: Mapping[str, int], seed: int
) -> BenchReport:
    draw = random.Random(seed)
    times = sorted(median_ms * draw.lognormvariate(0, 0.35) for _ in range(requests))
    curve = {rank: percentiles.percentile(times, rank) for rank in range(101)}
    mean_ms = sum(times) / requests
    total_s = mean_ms * requests / concurrency / 1000
    return BenchReport(
        complete_count=requests,
        failed_count=sum(failures.values()),
        failures=failures,
        requests_per_s=round(requests / total_s, 2),
        mean_ms=round(mean_ms, 3),
        mean_across_ms=round(mean_ms / concurrency, 3),
        total_s=round(total_s, 3),
        percentiles_ms=curve,
        min_ms=curve[0],
        max_ms=curve[100],
        concurrency=concurrency,
        transferred_bytes=requests * 310,
        sent_bytes=requests * 1064,
        body_bytes=requests * 24,
        server_software="uvicorn",
        host="127.0.0.1",
        port=40123,
        path="/score",
        transfer_kb_per_s=42.0,
        phases=(
            _phase("Connect", 0, 0.1),
            _phase("Processing", median_ms, median_ms / 3),
            _phase("Waiting", median_ms, median_ms / 3),
            _phase("Total", median_ms, median_ms / 3),
        ),
        histogram=percentiles.histogram(times),
    )


def _phase(name: str, median_ms: float, deviation_ms: float) -> PhaseTimes:
    whole = float(round(median_ms))
    return PhaseTimes(
        name=name,
        min_ms=float(round(median_ms / 3)),
        mean_ms=whole,
        deviation_ms=round(deviation_ms, 1),
        median_ms=whole,
        max_ms=float(round(median_ms * 3)),
    )


def _insert(
    store: Store,
    *,
    deployment: str,
    at: datetime,
    payload: str = PAYLOAD,
    requests: int | None = None,
    seconds: int | None = None,
    concurrency: int = 4,
    model_id: str = "bank:1",
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    outcome: LoadTestState | None = None,
    error: str = "",
    done_count: int = 0,
    report: str | None = None,
    answers: str | None = None,
) -> str:
    load_test_id = secrets.token_hex(6)
    amount = f"{seconds} s" if seconds else f"{requests} requests"
    with store.transaction() as db:
        db.execute(
            "INSERT INTO load_tests (id, name, created_at, deployment, payload, payload_sha256,"
            " requests, seconds, concurrency, keep_alive, timeout_s, model_id, settings,"
            " started_at, ended_at, outcome, error, done_count, report, answers)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 60, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                load_test_id,
                f"{deployment}: {amount}, {concurrency} at a time",
                stamp(at),
                deployment,
                payload,
                hashlib.sha256(payload.encode()).hexdigest(),
                requests,
                seconds,
                concurrency,
                model_id,
                json.dumps({"Application Insights": "on", "Core": "native LightGBM"}),
                stamp(started_at),
                stamp(ended_at),
                outcome,
                error,
                done_count,
                report,
                answers,
            ),
        )
    return load_test_id
