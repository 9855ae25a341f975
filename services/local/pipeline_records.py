"""The rows of pipelines and schedules as records. Pure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.domain import (
    AssetStatus,
    BatchProgress,
    Firing,
    Frequency,
    Pause,
    PipelineEndpoint,
    PipelineKind,
    PipelineParameter,
    PipelineRun,
    PublishedPipeline,
    Recurrence,
    RunStatus,
    Schedule,
    StepRun,
    WeekDay,
)
from services.local.pipeline_definitions import definition
from services.local.store import instant


def pipeline(row: sqlite3.Row, *, submit_path: str) -> PublishedPipeline:
    kind = PipelineKind(row["kind"])
    described = definition(kind).parameters
    return PublishedPipeline(
        id=row["id"],
        name=row["name"],
        version=str(row["version"]),
        status=AssetStatus(row["status"]),
        endpoint=f"{submit_path}/PipelineSubmit/{row['id']}",
        created_at=instant(row["created_at"]),
        kind=kind,
        description=row["description"],
        parameters=tuple(
            PipelineParameter(name=name, default=value, description=described[name].description)
            for name, value in json.loads(row["defaults"]).items()
        ),
        experiment=json.loads(row["fixed"]).get("experiment", ""),
    )


def endpoint(
    row: sqlite3.Row, versions: Mapping[str, str], *, submit_path: str
) -> PipelineEndpoint:
    return PipelineEndpoint(
        id=row["id"],
        name=row["name"],
        status=AssetStatus(row["status"]),
        endpoint=f"{submit_path}/PipelineEndpointSubmit/Id/{row['id']}",
        default_version=str(row["default_version"]),
        versions=versions,
        description=row["description"],
    )


def run(row: sqlite3.Row, *, status: RunStatus | None = None) -> PipelineRun:
    return PipelineRun(
        id=row["id"],
        pipeline_id=row["pipeline_id"],
        experiment=row["experiment"],
        status=status or RunStatus(row["status"]),
        created_at=given(row["created_at"]),
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        schedule_id=row["schedule_id"],
        run_source=row["run_source"],
        parameters=json.loads(row["parameters"]),
        error=row["error"],
        training_run_id=row["training_run_id"],
        model_id=row["model_id"],
        batch=_batch(row),
        retry_of=row["retry_of"],
    )


def _batch(row: sqlite3.Row) -> BatchProgress | None:
    if row["total_count"] is None:
        return None
    return BatchProgress(
        total_count=row["total_count"],
        done_count=row["done_count"],
        failed_count=row["failed_count"],
        last_progress_at=instant(row["last_progress_at"]),
    )


def steps(rows: Iterable[sqlite3.Row]) -> dict[str, tuple[StepRun, ...]]:
    """Run id → its steps, in the order of the rows."""
    found: dict[str, list[StepRun]] = {}
    for row in rows:
        found.setdefault(row["run_id"], []).append(_step(row))
    return {run_id: tuple(each) for run_id, each in found.items()}


def _step(row: sqlite3.Row) -> StepRun:
    return StepRun(
        id=f"{row['run_id']}/{row['node_id']}",
        node_id=row["node_id"],
        name=row["name"],
        status=RunStatus(row["status"]),
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        error=row["error"],
    )


def schedule(
    row: sqlite3.Row, *, last_run: PipelineRun | None, pause: Pause | None = None
) -> Schedule:
    return Schedule(
        id=row["id"],
        name=row["name"],
        status=AssetStatus(row["status"]),
        recurrence=read_recurrence(row["recurrence"]),
        experiment=row["experiment"],
        pipeline_id=row["pipeline_id"],
        pipeline_endpoint_id=row["pipeline_endpoint_id"],
        description=row["description"],
        parameters=json.loads(row["parameters"]),
        created_at=instant(row["created_at"]),
        next_fire_at=instant(row["next_fire_at"]),
        last_run=last_run,
        pause=pause,
    )


def firing(row: sqlite3.Row) -> Firing:
    return Firing(
        due_at=given(row["due_at"]),
        fired_at=instant(row["fired_at"]),
        run_id=row["run_id"],
        missed_count=row["missed_count"],
        reason=row["reason"],
    )


def write_recurrence(recurrence: Recurrence) -> str:
    start = recurrence.start_time
    fields = asdict(recurrence) | {"start_time": start.isoformat() if start else None}
    return json.dumps(fields)


def read_recurrence(text: str) -> Recurrence:
    stored: dict[str, Any] = json.loads(text)
    start = stored["start_time"]
    return Recurrence(
        frequency=Frequency(stored["frequency"]),
        interval=stored["interval"],
        start_time=datetime.fromisoformat(start) if start else None,
        time_zone=stored["time_zone"],
        hours=tuple(stored["hours"]),
        minutes=tuple(stored["minutes"]),
        week_days=tuple(map(WeekDay, stored["week_days"])),
    )


def given(text: str) -> datetime:
    """The instant in a column that is NOT NULL."""
    at = instant(text)
    assert at is not None
    return at
