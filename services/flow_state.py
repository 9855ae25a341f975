"""The seven steps from a dataset to a schedule, and how far a workspace has come (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.attention import Traffic
from services.domain import (
    AssetStatus,
    Component,
    ComponentState,
    Dataset,
    Deployment,
    DeploymentState,
    FlowProgress,
    FlowStepState,
    LoadTest,
    LoadTestState,
    Run,
    RunKind,
    RunStatus,
    Schedule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the flow as the workspace stands."""

    key: str  # as in `FlowStep.key`
    title: str
    page: str  # where it is done, a page's file
    state: FlowStepState | None  # None: the port did not answer
    headline: str  # what it is about: a name, a score, a rate
    detail: str = ""
    at: datetime | None = None  # when it happened, or will happen next
    address: Mapping[str, str] = field(default_factory=dict)  # what the page is to show


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the ports answered; None where one did not."""

    datasets: Sequence[Dataset] | None = None
    runs: Sequence[Run] | None = None
    more_runs: bool = False  # there are others that nobody looked at
    deployments: Sequence[Deployment] | None = None
    components: Sequence[Component] | None = None
    traffic: Sequence[Traffic] | None = None
    load_tests: Sequence[LoadTest] | None = None
    schedules: Sequence[Schedule] | None = None


def stages(answers: Answers, progress: FlowProgress | None = None) -> tuple[Stage, ...]:
    """The seven stages in order. While the whole flow runs, its own steps say how far it is."""
    deployment = _shown(answers.deployments or ())
    address = {"deployment": deployment.name} if deployment else {}
    found = (
        _dataset(answers.datasets),
        _training(answers.runs, more=answers.more_runs),
        _deployment(answers.deployments, deployment),
        _telemetry(answers.deployments, answers.components, address),
        _scoring(answers.traffic, answers.deployments, address),
        _benchmark(answers.load_tests, address),
        _schedule(answers.schedules),
    )
    if progress is None or not progress.running:
        return found
    under_way = {step.key: step for step in progress.steps}
    return tuple(
        replace(stage, state=step.state) if (step := under_way.get(stage.key)) else stage
        for stage in found
    )


def is_empty(answers: Answers) -> bool:
    """Nothing has been done yet, as far as every port answered."""
    return (
        answers.datasets == ()
        and answers.runs == ()
        and not answers.more_runs
        and answers.deployments == ()
        and answers.schedules == ()
    )


def _stage(
    key: str,
    title: str,
    page: str,
    state: FlowStepState | None,
    headline: str,
    detail: str = "",
    at: datetime | None = None,
    address: Mapping[str, str] | None = None,
) -> Stage:
    return Stage(
        key=key,
        title=title,
        page=page,
        state=state,
        headline=headline if state is not None else "Did not answer",
        detail=detail,
        at=at,
        address=address or {},
    )


def _dataset(datasets: Sequence[Dataset] | None) -> Stage:
    step = ("dataset", "Dataset", "dataset")
    if not datasets:
        return _stage(*step, _unknown_or_waiting(datasets), "Register data")
    newest = datasets[0]
    rows = "" if newest.row_count is None else f"{newest.row_count:,} rows"
    return _stage(
        *step, FlowStepState.DONE, newest.id, rows, newest.created_at, {"dataset": newest.name}
    )


def _training(runs: Sequence[Run] | None, *, more: bool) -> Stage:
    step = ("training", "AutoML", "training_runs")
    run = next((run for run in runs or () if run.kind is RunKind.AUTOML), None)
    if run is None and runs is not None and more:
        return replace(_stage(*step, None, ""), headline="None in the newest experiments")
    if run is None:
        return _stage(*step, _unknown_or_waiting(runs), "Find a model")
    known = run.score is not None
    score = f"{run.score:.4f}" if known else run.status.value
    detail = (run.primary_metric or "") if known else f"{run.experiment} {run.number}"
    at = run.ended_at or run.created_at
    return _stage(*step, _of_run(run.status), score, detail, at, {"run": run.id})


def _of_run(status: RunStatus) -> FlowStepState:
    if status is RunStatus.COMPLETED:
        return FlowStepState.DONE
    if status in (RunStatus.FAILED, RunStatus.NOT_RESPONDING):
        return FlowStepState.FAILED
    return FlowStepState.WAITING if status is RunStatus.CANCELED else FlowStepState.RUNNING


def _shown(deployments: Sequence[Deployment]) -> Deployment | None:
    """The deployment a link opens: the newest unwell one, else the newest."""
    unwell = (each for each in deployments if _of_deployment(each.state) is FlowStepState.FAILED)
    return next(unwell, deployments[0] if deployments else None)


def _of_deployment(state: DeploymentState) -> FlowStepState:
    if state is DeploymentState.HEALTHY:
        return FlowStepState.DONE
    moving = state is DeploymentState.TRANSITIONING
    return FlowStepState.RUNNING if moving else FlowStepState.FAILED


def _deployment(deployments: Sequence[Deployment] | None, shown: Deployment | None) -> Stage:
    step = ("deployment", "Deployment", "deployment_health")
    if not deployments or shown is None:
        return _stage(*step, _unknown_or_waiting(deployments), "Deploy a model")
    healthy = sum(each.state is DeploymentState.HEALTHY for each in deployments)
    detail = f"{healthy} of {len(deployments)} healthy" if len(deployments) > 1 else shown.model_id
    return _stage(
        *step,
        _of_deployment(shown.state),
        shown.name,
        detail,
        shown.updated_at,
        {"deployment": shown.name},
    )


def _telemetry(
    deployments: Sequence[Deployment] | None,
    components: Sequence[Component] | None,
    address: Mapping[str, str],
) -> Stage:
    step = ("telemetry", "App Insights", "app_insights")
    on = [each for each in deployments or () if each.telemetry_enabled]
    if not on:
        headline = "Turn it on" if deployments else "Watch requests"
        return _stage(*step, _unknown_or_waiting(deployments), headline, address=address)
    broken = any(
        component.name.startswith("telemetry")
        and component.state in (ComponentState.FAILED, ComponentState.STOPPED)
        for component in components or ()
    )
    state = FlowStepState.FAILED if broken else FlowStepState.DONE
    detail = "Its server is not running" if broken else "Recording"
    headline = f"On for {len(on)} of {len(deployments or ())}" if len(on) > 1 else "On"
    return _stage(*step, state, headline, detail, address=address)


def _scoring(
    traffic: Sequence[Traffic] | None,
    deployments: Sequence[Deployment] | None,
    address: Mapping[str, str],
) -> Stage:
    step = ("scoring", "Scoring", "live_scoring")
    requests = sum(each.request_count for each in traffic or ())
    if not requests:
        # Without telemetry nobody counts: that is no outage while nothing is deployed.
        state = FlowStepState.WAITING if not deployments else _unknown_or_waiting(traffic)
        return _stage(*step, state, "Score a row", address=address)
    failed = sum(each.failed_count for each in traffic or ())
    detail = f"{failed:,} failed" if failed else "none failed"
    headline = f"{requests:,} request{'' if requests == 1 else 's'}"
    return _stage(*step, FlowStepState.DONE, headline, detail, address=address)


def _benchmark(load_tests: Sequence[LoadTest] | None, address: Mapping[str, str]) -> Stage:
    step = ("benchmark", "Benchmark", "benchmark_results")
    if not load_tests:
        return _stage(*step, _unknown_or_waiting(load_tests), "Run ab", address=address)
    newest = load_tests[0]
    state = {
        LoadTestState.COMPLETED: FlowStepState.DONE,
        LoadTestState.FAILED: FlowStepState.FAILED,
        LoadTestState.STOPPED: FlowStepState.DONE,
    }.get(newest.state, FlowStepState.RUNNING)
    report = newest.report
    headline = f"{report.requests_per_s:,.0f} requests/s" if report else newest.state.value
    p95 = report.percentiles_ms.get(95) if report else None
    detail = "" if p95 is None else f"p95 {p95:,.0f} ms"
    at = newest.ended_at or newest.created_at
    return _stage(*step, state, headline, detail, at, {"load_test": newest.id})


def _schedule(schedules: Sequence[Schedule] | None) -> Stage:
    step = ("schedule", "Schedule", "pipeline_schedules")
    due = next_due(schedules or ())
    if due is None:
        headline = "All disabled" if schedules else "Retrain daily"
        return _stage(*step, _unknown_or_waiting(schedules), headline)
    address = {"view": "Schedules", "schedule": due.id}
    return _stage(*step, FlowStepState.DONE, due.name, "Next firing", due.next_fire_at, address)


def next_due(schedules: Sequence[Schedule]) -> Schedule | None:
    """The active schedule that fires first."""
    due = [
        (schedule.next_fire_at, schedule)
        for schedule in schedules
        if schedule.status is AssetStatus.ACTIVE and schedule.next_fire_at is not None
    ]
    return min(due, key=lambda pair: pair[0])[1] if due else None


def _unknown_or_waiting(answer: Sequence[object] | None) -> FlowStepState | None:
    return None if answer is None else FlowStepState.WAITING
