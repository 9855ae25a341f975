"""Reads remembered for a while, shared by every session; whoever writes clears them.

Only records, never a secret. How long follows the back end: see `Lifetime`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from dashboard import economy, events, memory, session, side_by_side
from dashboard import rates as telemetry_rates
from dashboard.memory import Lifetime, remembered
from dashboard.rates import Rates
from services import drift
from services.app_insights import captured
from services.attention import Traffic
from services.domain import (
    AuditEvent,
    AutoMLSettings,
    Component,
    DataContract,
    Dataset,
    DatasetProfile,
    Deployment,
    EnsembleMember,
    Evaluation,
    EvaluationPlan,
    Experiment,
    Explanation,
    Firing,
    FlowProgress,
    LoadTest,
    LogTail,
    Model,
    Panel,
    PipelineEndpoint,
    PipelineGraph,
    PipelineRun,
    PublishedPipeline,
    Run,
    RunStatus,
    Schedule,
    StepRun,
    TimeWindow,
)
from services.drift import Comparison
from services.errors import NotFoundError
from services.load_test_rules import LoadTestRule
from services.ports import QueryResult
from services.scored.gate import GoldenVerdict
from services.scored.records import ScoredRequest

if TYPE_CHECKING:
    import pandas as pd

BRIEF = Lifetime(local=2, azure=30, moving=5)  # what changes by itself, or is changed elsewhere
LONG = Lifetime(local=600, azure=600)  # what never changes once it exists: a version's profile
TELEMETRY = Lifetime(local=10, azure=60)
QUERY = Lifetime(local=2, azure=60)
PROGRESS = Lifetime(local=1, azure=30)
DESK = Lifetime(local=2, azure=2)  # what the dashboard keeps itself, wherever the workspace is
LIVE = Lifetime(local=0, azure=5)  # what is followed as it grows
SETTLED = Lifetime(local=2, azure=300)  # of runs that completed, and of what is deployed


def _moving_deployments(deployments: Sequence[Deployment]) -> bool:
    return any(not each.state.settled for each in deployments)


def _moving_runs(runs: Sequence[Run | PipelineRun]) -> bool:
    return any(map(_moving_run, runs))


def _moving_run(run: Run | PipelineRun) -> bool:
    return not run.status.settled


def _moving_steps(steps_of: Mapping[str, Sequence[StepRun]]) -> bool:
    """A step is at work, or the next one waits for its turn; after a failure none does."""
    stopped = {RunStatus.FAILED, RunStatus.CANCELED}
    return any(
        not each.status.settled
        and (each.status is not RunStatus.NOT_STARTED or stopped.isdisjoint(_statuses(steps)))
        for steps in steps_of.values()
        for each in steps
    )


def _statuses(steps: Sequence[StepRun]) -> set[RunStatus]:
    return {each.status for each in steps}


def clear() -> None:
    """Forget everything that was read. Called after a write, before the next rerun."""
    memory.clear()
    side_by_side.unawaited(events.acted)


@remembered(DESK)
def components() -> tuple[Component, ...]:
    return session.workspace().components()


@remembered(DESK)
def audit_events() -> tuple[AuditEvent, ...]:
    return session.workspace().audit.list()


@remembered(TELEMETRY)
def long_audit() -> tuple[AuditEvent, ...]:
    """`audit_events`, further back: for the charts, which span a month."""
    return session.workspace().audit.list(limit=5000)


@remembered(BRIEF)
def datasets() -> tuple[Dataset, ...]:
    return session.workspace().datasets.list()


@remembered(BRIEF)
def dataset_versions(name: str) -> tuple[Dataset, ...]:
    return session.workspace().datasets.versions(name)


@remembered(LONG, most=50, spinner="Profiling…")
def profile(name: str, version: int) -> DatasetProfile:
    return session.workspace().datasets.profile(name, version)


@remembered(LONG, most=20, spinner="Comparing…")
def version_drift(name: str, reference: int, current: int) -> Comparison:
    """How far one version's rows moved from another's; the first rows of each, if there are
    very many."""
    head = session.workspace().datasets.head
    before, after = (head(name, each, drift.ROW_LIMIT) for each in (reference, current))
    return drift.compare(before, after)


@remembered(TELEMETRY, most=20, spinner="Comparing…")
def scored_drift(name: str, version: int, deployment: str, window: TimeWindow) -> Comparison:
    """How far the rows a deployment was asked to score moved from a dataset version."""
    import pandas as pd

    captured_rows = captured.read(
        telemetry(Panel.CAPTURED, window, deployment).frame.to_dict("records")
    )
    rows = captured.scored_rows(captured_rows, deployment)
    before = session.workspace().datasets.head(name, version, drift.ROW_LIMIT)
    columns = [column for column in before.columns if any(column in row for row in rows)]
    return drift.compare(before[columns], pd.DataFrame(rows, columns=columns))


@remembered(BRIEF, moving=_moving_runs)
def runs(experiment: str | None = None) -> tuple[Run, ...]:
    return session.workspace().runs.list(experiment)


@remembered(BRIEF)
def experiments() -> tuple[Experiment, ...]:
    return session.workspace().runs.experiments()


def runs_of(experiments: Sequence[str]) -> tuple[Run, ...]:
    """Of these experiments, newest first: what `runs` knows of each is not asked for again."""
    found = side_by_side.ask([partial(runs, experiment) for experiment in experiments])
    return tuple(sorted(chain(*found), key=lambda run: run.created_at, reverse=True))


@remembered(BRIEF, moving=_moving_run)
def run(run_id: str) -> Run:
    return session.workspace().runs.get(run_id)


def run_or_none(run_id: str) -> Run | None:
    """The run something refers to, unless it is gone."""
    try:
        return run(run_id)
    except NotFoundError:
        return None


@remembered(DESK)
def baselines() -> Mapping[str, str]:
    """Experiment → the id of its pinned run."""
    return {pin.experiment: pin.run_id for pin in session.workspace().baselines.list()}


@remembered(BRIEF, moving=_moving_runs)
def child_runs(run_id: str) -> tuple[Run, ...]:
    return session.workspace().runs.children(run_id)


@remembered(SETTLED)
def metrics(run_ids: tuple[str, ...]) -> Mapping[str, Mapping[str, float]]:
    return session.workspace().runs.metrics(run_ids)


@remembered(LONG, most=200)
def automl_settings(run_id: str) -> AutoMLSettings:
    return session.workspace().runs.automl_settings(run_id)


@remembered(LONG, most=200)
def run_table(run_id: str, name: str) -> Mapping[str, Any]:
    """A chart artifact; a child run writes it once, when it completes."""
    return session.workspace().runs.table(run_id, name)


@remembered(LONG, most=100)
def run_file(run_id: str, path: str) -> bytes:
    """A small artifact that is written once."""
    return session.workspace().runs.file(run_id, path)


@remembered(SETTLED, most=50)
def run_log(run_id: str) -> LogTail:
    """The end of the main log of a run that has ended."""
    return session.workspace().runs.logs(run_id)


@remembered(LONG, most=100)
def ensemble(run_id: str) -> tuple[EnsembleMember, ...]:
    """Of a child run that completed."""
    return session.workspace().runs.ensemble(run_id)


@remembered(LONG, most=100)
def explanation(run_id: str) -> Explanation:
    return session.workspace().runs.explanation(run_id)


@remembered(LONG, most=100)
def model_contract(model_id: str) -> DataContract:
    return session.workspace().models.contract(model_id)


@remembered(BRIEF)
def models() -> tuple[Model, ...]:
    return session.workspace().models.list()


def evaluation(plan: EvaluationPlan) -> Evaluation | None:
    """The answer to a question about predictions; None while nobody has asked it."""
    return next((each for each in evaluations() if each.id == plan.id), None)


@remembered(DESK)
def evaluations() -> tuple[Evaluation, ...]:
    return session.workspace().evaluations.list()


@remembered(BRIEF, moving=_moving_deployments)
def deployments() -> tuple[Deployment, ...]:
    return session.workspace().deployments.list()


def deployment(name: str) -> Deployment:
    """On Azure from the list, which tells as much, where that has it."""
    port = session.workspace().deployments
    if not economy.metered():
        return port.get(name)
    listed = next((each for each in deployments() if each.name == name), None)
    return listed or port.get(name)


@remembered(LIVE)
def deployment_log(name: str, line_limit: int) -> LogTail:
    return session.workspace().deployments.logs(name, line_limit=line_limit)


@remembered(SETTLED)
def scoring_contract(deployment: str) -> DataContract:
    return session.workspace().scoring.contract(deployment)


def scored_requests(deployment: str) -> tuple[ScoredRequest, ...]:
    """Not remembered: one read of the store on this machine, and true after every request."""
    return session.workspace().scored.list(deployment)


def golden_verdicts(deployment: str) -> tuple[GoldenVerdict, ...]:
    """Not remembered: one read of the store on this machine."""
    return session.workspace().golden.verdicts(deployment)


@remembered(LONG, most=50)
def swagger(deployment: str, updated_at: datetime) -> Mapping[str, Any]:
    """Remembered until the deployment is updated."""
    return session.workspace().deployments.swagger(deployment)


@remembered(DESK)
def load_tests(deployment: str | None = None) -> tuple[LoadTest, ...]:
    return session.workspace().load_tests.list(deployment)


@remembered(DESK)
def load_test_rules() -> Mapping[str, LoadTestRule]:
    """What was decided about load tests, by deployment; nothing for those on their defaults."""
    return {rule.deployment: rule for rule in session.workspace().load_test_rules.list()}


@remembered(BRIEF)
def pipelines() -> tuple[PublishedPipeline, ...]:
    return session.workspace().pipelines.list()


@remembered(BRIEF)
def pipeline_endpoints() -> tuple[PipelineEndpoint, ...]:
    return session.workspace().pipelines.endpoints()


@remembered(BRIEF, moving=_moving_runs)
def pipeline_runs(
    pipeline_id: str | None = None, schedule_id: str | None = None
) -> tuple[PipelineRun, ...]:
    return session.workspace().pipelines.runs(pipeline_id=pipeline_id, schedule_id=schedule_id)


@remembered(BRIEF, moving=_moving_runs)
def scheduled_runs(*, most: int) -> tuple[PipelineRun, ...]:
    """Of every schedule, newest first, among the newest runs of all. One request a pipeline."""
    runs = session.workspace().pipelines.runs(limit=most)
    return tuple(run for run in runs if run.schedule_id is not None)


@remembered(BRIEF, moving=_moving_run)
def pipeline_run(run_id: str) -> PipelineRun:
    return session.workspace().pipelines.run(run_id)


def pipeline_steps(run_ids: tuple[str, ...]) -> Mapping[str, tuple[StepRun, ...]]:
    """On Azure a request per run, so those of a run that ended are remembered for long."""
    if not economy.metered():
        return _steps_of(run_ids)
    found = side_by_side.ask([partial(_steps_of, (run_id,)) for run_id in run_ids])
    return {run_id: steps[run_id] for run_id, steps in zip(run_ids, found, strict=True)}


@remembered(Lifetime(local=2, azure=3600, moving=5), moving=_moving_steps, most=500)
def _steps_of(run_ids: tuple[str, ...]) -> Mapping[str, tuple[StepRun, ...]]:
    return session.workspace().pipelines.steps_of(run_ids)


@remembered(LONG, most=100)
def pipeline_graph(pipeline_id: str) -> PipelineGraph:
    """A published pipeline never changes its steps."""
    return session.workspace().pipelines.graph(pipeline_id)


@remembered(BRIEF, most=4, spinner="Reading the output…")
def batch_output(run_id: str) -> pd.DataFrame:
    return session.workspace().pipelines.batch_output(run_id)


@remembered(BRIEF)
def firings(schedule_id: str) -> tuple[Firing, ...]:
    return session.workspace().schedules.firings(schedule_id, limit=1000)


@remembered(BRIEF)
def schedules() -> tuple[Schedule, ...]:
    return session.workspace().schedules.list()


@remembered(BRIEF)
def schedules_with_last_runs() -> tuple[Schedule, ...]:
    """`schedules`, and how each went last: a request each where that is Azure."""
    return session.workspace().schedules.with_last_runs(schedules())


def telemetry(
    panel: Panel,
    window: TimeWindow,
    deployment: str | None = None,
    own_traffic: bool = True,
) -> QueryResult:
    return _telemetry(panel, _whole_minutes(window), deployment, own_traffic)


def _whole_minutes(window: TimeWindow) -> TimeWindow:
    """On Azure the window ends on a whole minute: reruns of one minute ask one question."""
    if not economy.metered():
        return window
    end = -(-window.end.timestamp() // 60) * 60
    return replace(window, end=datetime.fromtimestamp(end, UTC))


@remembered(TELEMETRY, most=200)
def _telemetry(
    panel: Panel, window: TimeWindow, deployment: str | None, own_traffic: bool
) -> QueryResult:
    return session.workspace().telemetry.panel(panel, window, deployment, own_traffic)


@remembered(TELEMETRY, most=50)
def rates(window: TimeWindow) -> Rates:
    """Of the same question as `traffic`."""
    return telemetry_rates.rates(telemetry(Panel.OVERVIEW, window).frame)


@remembered(TELEMETRY, most=50)
def traffic(window: TimeWindow) -> tuple[Traffic, ...]:
    """Of the same question as `rates`."""
    return telemetry_rates.traffic(telemetry(Panel.OVERVIEW, window).frame)


@remembered(PROGRESS)
def flow_progress() -> FlowProgress:
    return session.workspace().flow.progress()


@remembered(QUERY, most=10, spinner="Asking…")
def telemetry_query(kql: str) -> QueryResult:
    return session.workspace().telemetry.query(kql)
