"""Load tests as rows of the store, and back as records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from services.domain import (
    AnswerTally,
    BenchReport,
    LoadTest,
    LoadTestPlan,
    LoadTestState,
    PhaseTimes,
)
from services.local.store import instant


@lru_cache(512)
def record(row: sqlite3.Row) -> LoadTest:
    """The load test a row of ``load_tests`` stands for; a row that is the same is read once."""
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    answers = _answers(row["answers"])
    return LoadTest(
        id=row["id"],
        name=row["name"],
        state=_state(row),
        created_at=created_at,
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        deployment=row["deployment"],
        model_id=row["model_id"],
        plan=_plan(row),
        payload_sha256=row["payload_sha256"],
        done_count=row["done_count"],
        report=_report(row["report"]),
        semantic_failure_count=answers.semantic_failure_count if answers else None,
        error=row["error"],
        settings=json.loads(row["settings"]),
        imported=bool(row["imported"]),
        answers=answers,
        warnings=tuple(json.loads(row["warnings"])),
        search_id=row["search_id"],
    )


def report_json(report: BenchReport | None) -> str | None:
    return None if report is None else json.dumps(asdict(report))


def answers_json(answers: AnswerTally | None) -> str | None:
    return None if answers is None else json.dumps(asdict(answers))


def _state(row: sqlite3.Row) -> LoadTestState:
    if row["outcome"] is not None:
        return LoadTestState(row["outcome"])
    return LoadTestState.RUNNING if row["started_at"] else LoadTestState.QUEUED


def _plan(row: sqlite3.Row) -> LoadTestPlan | None:
    if row["deployment"] is None:
        return None
    return LoadTestPlan(
        deployment=row["deployment"],
        payload=row["payload"],
        requests=row["requests"],
        seconds=row["seconds"],
        concurrency=row["concurrency"],
        keep_alive=bool(row["keep_alive"]),
        timeout_s=row["timeout_s"],
        request_budget=row["request_budget"],
        stop_at_failure_pct=row["stop_at_failure_pct"],
    )


@lru_cache(maxsize=512)  # a report never changes, and a list has the reports of all its tests
def _report(text: str | None) -> BenchReport | None:
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    fields["percentiles_ms"] = _by_rank(fields["percentiles_ms"])
    fields["phases"] = tuple(PhaseTimes(**each) for each in fields["phases"])
    fields["histogram"] = tuple((start, end, count) for start, end, count in fields["histogram"])
    return BenchReport(**fields)


def _answers(text: str | None) -> AnswerTally | None:
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    fields["run_percentiles_ms"] = _by_rank(fields["run_percentiles_ms"])
    return AnswerTally(**fields)


def _by_rank(values: Mapping[str, float]) -> dict[int, float]:
    return {int(rank): value for rank, value in values.items()}
