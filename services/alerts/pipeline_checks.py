"""What the rules find about pipelines, their runs and their schedules (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from services.alerts.records import AlertRule
from services.alerts.snapshot import Snapshot
from services.attention import Attention, Severity
from services.domain import AssetStatus, PipelineRun, RunStatus

FORGOTTEN_AFTER = timedelta(days=7)  # a firing nobody repeated
EARLIER_RUNS = 3  # at least, before one can be called late


def stuck(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    limit = timedelta(minutes=rule.values["stuck_min"])
    told = {run.id for run in snapshot.seen.runs}  # Azure lists pipeline runs among them
    for run in snapshot.seen.pipeline_runs:
        if run.id in told:
            continue
        waiting = run.status in (RunStatus.NOT_STARTED, RunStatus.QUEUED)
        silent = run.status is RunStatus.NOT_RESPONDING
        if silent or (waiting and now - run.created_at > limit):
            what = "does not respond" if silent else "is not being started"
            yield _of_run(run, rule, f"A pipeline run of {run.experiment} {what}", "Its steps say "
                          "how far it came.", f"pipeline-run/{run.id}/stuck")  # fmt: skip


def late(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    for run in snapshot.seen.pipeline_runs:
        if run.status.settled or run.started_at is None:
            continue
        earlier = [
            (each.ended_at - each.started_at).total_seconds()
            for each in snapshot.seen.pipeline_runs
            if each.pipeline_id == run.pipeline_id
            and each.status is RunStatus.COMPLETED
            and each.started_at is not None
            and each.ended_at is not None
        ]
        so_far = (now - run.started_at).total_seconds()
        if len(earlier) < EARLIER_RUNS or so_far < rule.values["least_min"] * 60:
            continue
        usual = median(earlier)
        if so_far > rule.values["factor"] * usual:
            detail = f"{so_far / 60:,.0f} min so far; its runs usually take {usual / 60:,.0f} min."
            title = f"A pipeline run of {run.experiment} is late"
            yield _of_run(run, rule, title, detail, f"pipeline-run/{run.id}/late")


def _of_run(run: PipelineRun, rule: AlertRule, title: str, detail: str, cause: str) -> Attention:
    return Attention(
        severity=rule.severity,
        title=title,
        detail=detail,
        page="pipeline_schedules",
        address={"view": "Runs", "run": run.id},
        since=run.started_at or run.created_at,
        rule=rule.key,
        cause=cause,
    )


def missed(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """By the newest firing: the next one that is punctual answers it. And a pause whose end
    the workspace refused: times are being missed since then."""
    yield from _not_resumed(snapshot, rule)
    limit = timedelta(minutes=rule.values["late_min"])
    for schedule in snapshot.seen.schedules:
        newest = next(iter(snapshot.firings.get(schedule.id, ())), None)
        if newest is None or schedule.status is not AssetStatus.ACTIVE:
            continue
        if now - newest.due_at > FORGOTTEN_AFTER:
            continue
        late = newest.fired_at - newest.due_at if newest.fired_at else None
        severity = Severity.WARNING  # it did fire in the end
        if newest.fired_at is None and newest.missed_count:
            severity = rule.severity
            title = f"Schedule {schedule.name} missed {_times(newest.missed_count)}"
            detail = newest.reason
        elif newest.run_id is None:
            title, detail = f"Schedule {schedule.name} submitted nothing", newest.reason
        elif newest.missed_count:
            title = f"Schedule {schedule.name} missed {_times(newest.missed_count)}"
            detail = "Nobody was looking when it was due; they collapsed into one run."
        elif late is not None and late > limit:
            title = f"Schedule {schedule.name} fired late"
            detail = f"{late.total_seconds() / 60:,.0f} min after it was due."
        else:
            continue
        yield Attention(
            severity=severity,
            title=title,
            detail=detail,
            page="pipeline_schedules",
            address={"view": "Schedules", "schedule": schedule.id},
            since=newest.due_at,
            rule=rule.key,
            cause=f"schedule/{schedule.id}/firing",
        )


def _not_resumed(snapshot: Snapshot, rule: AlertRule) -> Iterator[Attention]:
    for schedule in snapshot.seen.schedules:
        if schedule.pause is None or not schedule.pause.problem:
            continue
        yield Attention(
            severity=rule.severity,
            title=f"Schedule {schedule.name} was not resumed",
            detail=f"It is tried again. {schedule.pause.problem}",
            page="pipeline_schedules",
            address={"view": "Schedules", "schedule": schedule.id},
            since=schedule.pause.until,
            rule=rule.key,
            cause=f"schedule/{schedule.id}/pause",
        )


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count:,} times"


def inactive(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    pipelines = {each.id: each for each in snapshot.pipelines}
    endpoints = {each.id: each for each in snapshot.endpoints}
    waiting: dict[tuple[str, str, str], list[str]] = {}
    for schedule in snapshot.seen.schedules:
        if schedule.status is not AssetStatus.ACTIVE:
            continue
        endpoint = endpoints.get(schedule.pipeline_endpoint_id or "")
        pipeline_id = schedule.pipeline_id
        if endpoint is not None:
            pipeline_id = endpoint.versions.get(endpoint.default_version)
            if endpoint.status is AssetStatus.DISABLED:
                key = ("endpoint", endpoint.id, endpoint.name)
                waiting.setdefault(key, []).append(schedule.name)
                continue
        pipeline = pipelines.get(pipeline_id or "")
        if pipeline is not None and pipeline.status is AssetStatus.DISABLED:
            key = ("pipeline", pipeline.id, pipeline.name)
            waiting.setdefault(key, []).append(schedule.name)
    for (kind, asset_id, name), schedules in waiting.items():
        yield Attention(
            severity=rule.severity,
            title=f"{'Pipeline' if kind == 'pipeline' else 'Endpoint'} {name} is not Active",
            detail=f"Active schedules submit it in vain: {', '.join(schedules)}.",
            page="pipeline_schedules",
            address={"view": "Pipelines", kind: asset_id},
            rule=rule.key,
            cause=f"{kind}/{asset_id}",
        )
