"""What needs an operator's attention, worked out from what the ports answered (pure).

One entry per cause: what follows from something already listed is left out. A supervisor
that does not run explains every silent server; a failed training run explains the pipeline
run and the schedule that started it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from services.domain import (
    AssetStatus,
    Component,
    ComponentState,
    Deployment,
    DeploymentState,
    LoadTest,
    LoadTestState,
    PipelineRun,
    Run,
    RunStatus,
    Schedule,
)

T = TypeVar("T")

STUCK_AFTER = timedelta(minutes=10)  # in transition, or waiting to start
OVERDUE_AFTER = timedelta(minutes=2)  # a due time that has passed and not fired
FORGOTTEN_AFTER = timedelta(days=7)  # a failure nobody repeated
FAILURES_WARN, FAILURES_CRITICAL = 0.05, 0.5  # share of requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on something is worth an operator's time. Alert rules may set them."""

    stuck_after: timedelta = STUCK_AFTER  # runs
    moving_after: timedelta = STUCK_AFTER  # deployments
    overdue_after: timedelta = OVERDUE_AFTER
    failures_warn: float = FAILURES_WARN
    failures_critical: float = FAILURES_CRITICAL


class Severity(StrEnum):
    CRITICAL = "Critical"  # callers or schedules are affected now
    WARNING = "Warning"  # something did not work and nobody is being served wrongly
    NOTICE = "Notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One cause, and the page where it is dealt with."""

    severity: Severity
    title: str  # what is wrong, without a full stop
    detail: str  # why, or what to do; may be empty
    page: str  # its file, without ending
    address: Mapping[str, str] = field(default_factory=dict)  # what that page is to show
    since: datetime | None = None
    rule: str = ""  # which rule found it, as `services.alerts` names them
    cause: str = ""  # what it is about, the same for as long as it lasts: "deployment/bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests one deployment answered in the window."""

    deployment: str
    request_count: int
    failed_count: int

    @property
    def failure_rate(self) -> float:
        return self.failed_count / self.request_count if self.request_count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the ports answered; empty where one did not answer, which is said elsewhere."""

    components: Sequence[Component] = ()
    deployments: Sequence[Deployment] = ()
    runs: Sequence[Run] = ()  # newest first, like the next three
    pipeline_runs: Sequence[PipelineRun] = ()
    load_tests: Sequence[LoadTest] = ()
    schedules: Sequence[Schedule] = ()
    traffic: Sequence[Traffic] = ()


def entries(seen: Seen, *, now: datetime, limits: Limits | None = None) -> tuple[Attention, ...]:
    """Every cause, worst first; among equals the newest first."""
    limits = limits or Limits()
    supervised = not any(map(_supervisor_down, seen.components))
    unwell = [
        each for each in seen.deployments if _unwell(each, now, limits, supervised=supervised)
    ]
    failed = _failed_runs(seen.runs, now)
    found = [
        *_components(seen.components, supervised=supervised),
        *map(_deployment, unwell),
        *_traffic(seen.traffic, {each.name for each in unwell}, limits),
        *map(_failed_run, failed),
        *_stuck_runs(seen.runs, now, limits, supervised=supervised),
        *_pipeline_runs(seen.pipeline_runs, {run.id for run in failed}, now),
        *_overdue(seen.schedules, now, limits, supervised=supervised),
        *_load_tests(seen.load_tests, now),
    ]
    return tuple(sorted(found, key=urgency))


def noted(entry: Attention, note: str) -> Attention:
    """The entry with a sentence more."""
    return replace(entry, detail=f"{entry.detail} {note}".strip())


def failed_or_stuck(runs: Iterable[Run], *, since: datetime, now: datetime) -> tuple[Run, ...]:
    """Runs that failed at or after `since`, and those that have not moved for too long."""
    return tuple(
        run
        for run in runs
        if (run.status is RunStatus.FAILED and (run.ended_at or run.created_at) >= since)
        or _stuck(run, now, Limits())
    )


def urgency(entry: Attention) -> tuple[int, float]:
    """Sorts worst first, and among equals the newest first."""
    return list(Severity).index(entry.severity), -(entry.since.timestamp() if entry.since else 0)


# --- the workspace's own parts ----------------------------------------------------


def _supervisor_down(component: Component) -> bool:
    down = (ComponentState.STOPPED, ComponentState.FAILED)
    return component.name == "supervisor" and component.state in down


_DOWN = {"store": "The workspace's file is damaged"}


def _components(components: Sequence[Component], *, supervised: bool) -> Iterator[Attention]:
    for component in components:
        down = component.state in (ComponentState.STOPPED, ComponentState.FAILED)
        grave = component.name in ("supervisor", "store")
        if down and (supervised or grave):
            yield Attention(
                severity=Severity.CRITICAL if grave else Severity.WARNING,
                title=_DOWN.get(component.name, f"The {component.name} is not running"),
                detail=component.detail,
                page="settings",
                since=component.since,
                rule="component_down",
                cause=f"component/{component.name}",
            )


# --- deployments ------------------------------------------------------------------


def _unwell(deployment: Deployment, now: datetime, limits: Limits, *, supervised: bool) -> bool:
    if deployment.state is DeploymentState.FAILED:
        return True
    if not supervised:
        return False
    stuck = now - (deployment.state_since or deployment.updated_at) > limits.moving_after
    return deployment.state is DeploymentState.UNHEALTHY or (
        deployment.state is DeploymentState.TRANSITIONING and stuck
    )


def _deployment(deployment: Deployment) -> Attention:
    what = {
        DeploymentState.FAILED: "has failed",
        DeploymentState.UNHEALTHY: "does not answer",
        DeploymentState.TRANSITIONING: "has been in transition for too long",
    }[deployment.state]
    moving = deployment.state is DeploymentState.TRANSITIONING
    return Attention(
        severity=Severity.WARNING if moving else Severity.CRITICAL,
        title=f"Deployment {deployment.name} {what}",
        detail=deployment.error,
        page="deployment_health",
        address={"deployment": deployment.name},
        since=deployment.state_since,
        rule="deployment_stuck" if moving else "deployment_unwell",
        cause=f"deployment/{deployment.name}",
    )


def _traffic(traffic: Sequence[Traffic], unwell: set[str], limits: Limits) -> Iterator[Attention]:
    for each in traffic:
        if each.deployment in unwell or each.failure_rate < limits.failures_warn:
            continue
        critical = each.failure_rate >= limits.failures_critical
        yield Attention(
            severity=Severity.CRITICAL if critical else Severity.WARNING,
            title=f"{each.failure_rate * 100:.1f} % of the requests to {each.deployment} fail",
            detail=f"{each.failed_count:,} of {each.request_count:,} in the time window.",
            page="app_insights",
            address={"deployment": each.deployment},
            rule="failure_rate",
            cause=f"failure-rate/{each.deployment}",
        )


# --- runs -------------------------------------------------------------------------


def _latest(items: Iterable[T], group: Callable[[T], Hashable]) -> Iterator[T]:
    """The first item of every group."""
    known: set[Hashable] = set()
    for item in items:
        if (key := group(item)) not in known:
            known.add(key)
            yield item


def _failed_runs(runs: Sequence[Run], now: datetime) -> list[Run]:
    """Experiments whose last settled run failed; a later success has answered the failure."""
    settled = (run for run in runs if run.status.settled)
    return [
        run
        for run in _latest(settled, lambda run: run.experiment)
        if run.status is RunStatus.FAILED and now - run.created_at < FORGOTTEN_AFTER
    ]


def _failed_run(run: Run) -> Attention:
    return Attention(
        severity=Severity.WARNING,
        title=f"Run {run.number} of {run.experiment} failed",
        detail=run.error,
        page="training_runs",
        address={"run": run.id},
        since=run.ended_at or run.created_at,
        rule="run_failed",
        cause=f"experiment/{run.experiment}",
    )


def _stuck(run: Run, now: datetime, limits: Limits) -> bool:
    waiting = run.status in (RunStatus.NOT_STARTED, RunStatus.QUEUED)
    return run.status is RunStatus.NOT_RESPONDING or (
        waiting and now - run.created_at > limits.stuck_after
    )


def _stuck_runs(
    runs: Sequence[Run], now: datetime, limits: Limits, *, supervised: bool
) -> Iterator[Attention]:
    for run in runs:
        if supervised and _stuck(run, now, limits):
            silent = run.status is RunStatus.NOT_RESPONDING
            what = "does not respond" if silent else "is not being started"
            yield Attention(
                severity=Severity.WARNING,
                title=f"Run {run.number} of {run.experiment} {what}",
                detail="Its log says how far it came." if silent else "Cancel it, or wait.",
                page="training_runs",
                address={"run": run.id},
                since=run.started_at or run.created_at,
                rule="run_stuck",
                cause=f"run/{run.id}",
            )


def _pipeline_runs(
    runs: Sequence[PipelineRun], explained: set[str], now: datetime
) -> Iterator[Attention]:
    settled = (run for run in runs if run.status.settled)
    for run in _latest(settled, lambda run: run.schedule_id or run.pipeline_id):
        recent = now - run.created_at < FORGOTTEN_AFTER
        told = {run.id, run.training_run_id} & explained  # Azure lists it among the runs
        if run.status is not RunStatus.FAILED or not recent or told:
            continue
        yield Attention(
            severity=Severity.WARNING,
            title=f"A pipeline run of {run.experiment} failed",
            detail=run.error,
            page="pipeline_schedules",
            address={"view": "Runs", "run": run.id},
            since=run.ended_at or run.created_at,
            rule="pipeline_run_failed",
            cause=f"pipeline-run/{run.schedule_id or run.pipeline_id}",
        )


def _overdue(
    schedules: Sequence[Schedule], now: datetime, limits: Limits, *, supervised: bool
) -> Iterator[Attention]:
    for schedule in schedules:
        due = schedule.next_fire_at
        active = schedule.status is AssetStatus.ACTIVE
        if supervised and active and due is not None and now - due > limits.overdue_after:
            yield Attention(
                severity=Severity.CRITICAL,
                title=f"Schedule {schedule.name} is overdue",
                detail="It was due and has not fired.",
                page="pipeline_schedules",
                address={"view": "Schedules", "schedule": schedule.id},
                since=due,
                rule="schedule_missed",
                cause=f"schedule/{schedule.id}",
            )


def _load_tests(load_tests: Sequence[LoadTest], now: datetime) -> Iterator[Attention]:
    settled = (test for test in load_tests if test.state.settled and not test.imported)
    for test in _latest(settled, lambda test: test.deployment):
        if test.state is LoadTestState.FAILED and now - test.created_at < FORGOTTEN_AFTER:
            yield Attention(
                severity=Severity.NOTICE,
                title=f"The last load test of {test.deployment} failed",
                detail=test.error,
                page="benchmark_results",
                address={"load_test": test.id},
                since=test.ended_at or test.created_at,
                rule="load_test_failed",
                cause=f"load-test/{test.deployment}",
            )
