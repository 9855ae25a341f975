"""The steps of the whole flow, each done through the ports as an operator would do it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from services.domain import (
    AutoMLSettings,
    Dataset,
    Deployment,
    DeploymentState,
    Frequency,
    LoadTest,
    LoadTestPlan,
    Panel,
    Recurrence,
    Run,
    RunStatus,
    TimeWindow,
)
from services.errors import (
    ConflictError,
    InvalidRequestError,
    OperationFailedError,
    UnavailableError,
)
from services.local.clock import Clock, utc_now
from services.ports import RetrainingPlan, Workspace

EXPERIMENT = "bank-marketing"
DEPLOYMENT = "bank-marketing"
PIPELINE = "Bank Marketing retraining"
SCHEDULE = "Every 24 hours"
TRAINING_MINUTES = 1.0
POLL_S = 0.5


class Say(Protocol):
    def __call__(self, detail: str, *, made: str = "") -> None:
        """Tell how far the step is.

        Args:
            made: the id of what it has begun by now, which outlives the flow unless it is ended.
        """


@dataclass(slots=True)
class Journey:
    """What the steps so far have made, for the steps to come."""

    workspace: Workspace
    clock: Clock = utc_now
    training_minutes: float = TRAINING_MINUTES
    results: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    title: str
    act: Callable[[Journey, Say], str]  # answers what it made


def dataset(journey: Journey, say: Say) -> str:
    """Register Bank Marketing: the real rows where the network allows, else synthetic ones."""
    samples = sorted(journey.workspace.datasets.samples(), key=lambda sample: sample.synthetic)
    registered: Dataset | None = None
    for sample in samples:
        say(f"Registering {sample.title}")
        try:
            registered = journey.workspace.datasets.register_sample(sample.id)
            break
        except (UnavailableError, InvalidRequestError) as error:
            say(f"{sample.title}: {error}")
    if registered is None:
        raise OperationFailedError("None of the sample datasets could be registered.")
    rows = f"{registered.row_count:,} rows" if registered.row_count is not None else "registered"
    say(f"{registered.id}, {rows}{', synthetic' if registered.synthetic else ''}")
    return registered.id


def training(journey: Journey, say: Say) -> str:
    """Let AutoML search, then register its best model."""
    runs = journey.workspace.runs
    run = runs.begin_automl(
        AutoMLSettings(
            experiment=EXPERIMENT,
            dataset_id=journey.results["dataset"],
            label_column_name="y",
            experiment_timeout_minutes=journey.training_minutes,
        )
    )
    while not (run := runs.get(run.id)).status.settled:
        say(_training_so_far(run, len(runs.children(run.id))), made=run.id)
        time.sleep(POLL_S)
    if run.status is not RunStatus.COMPLETED:
        raise OperationFailedError(f"The AutoML run ended as {run.status}. {run.error}")
    model = journey.workspace.models.register(run.id, DEPLOYMENT)
    journey.results["model"] = model.id
    say(f"{_training_so_far(run, len(runs.children(run.id)))}; registered {model.id}")
    return run.id


def _training_so_far(run: Run, child_count: int) -> str:
    best = f", best {run.primary_metric} {run.score:.4f}" if run.score is not None else ""
    return f"{child_count} child runs{best}"


def deployment(journey: Journey, say: Say) -> str:
    """Deploy the model behind a key, or put it behind the deployment that is there."""
    deployments, model_id = journey.workspace.deployments, journey.results["model"]
    say(f"Deploying {model_id}")
    try:
        deployments.begin_create(DEPLOYMENT, model_id, auth=True, telemetry=False)
    except ConflictError:
        deployments.begin_update(DEPLOYMENT, model_id=model_id)
    _await_healthy(journey)
    say(f"{DEPLOYMENT} serves {model_id} behind a key")
    return DEPLOYMENT


def telemetry(journey: Journey, say: Say) -> str:
    """Turn Application Insights on, and read the switch back."""
    journey.workspace.deployments.begin_update(DEPLOYMENT, telemetry=True)
    enabled = _await_healthy(journey).telemetry_enabled
    if not enabled:
        raise OperationFailedError("Application Insights reads back as off.")
    say("Application Insights is on and reads back as on")
    return DEPLOYMENT


def _await_healthy(journey: Journey) -> Deployment:
    while not (seen := journey.workspace.deployments.get(DEPLOYMENT)).state.settled:
        time.sleep(POLL_S)
    if seen.state is not DeploymentState.HEALTHY:
        log = journey.workspace.deployments.logs(DEPLOYMENT, line_limit=40).text
        raise OperationFailedError(
            f"The deployment ended as {seen.state}. {seen.error}", log_tail=log
        )
    return seen


def scoring(journey: Journey, say: Say) -> str:
    """Read the Swagger, score real rows, and one request that must fail."""
    workspace = journey.workspace
    title = workspace.deployments.swagger(DEPLOYMENT)["info"]["title"]
    say(f"Read the API documentation of {title}")
    name, _, version = journey.results["dataset"].rpartition(":")
    label = workspace.models.get(journey.results["model"]).properties.get("label_column_name", "y")
    rows = workspace.datasets.head(name, int(version), 60).drop(columns=label)
    answered = 0
    for row in json.loads(rows.to_json(orient="records")):
        answer = workspace.scoring.score(DEPLOYMENT, json.dumps({"data": [row]}))
        if not answer.ok:
            raise OperationFailedError(f"A real row was refused: {answer.error}")
        answered += 1
    refused = workspace.scoring.score(DEPLOYMENT, json.dumps({"data": [{"age": "abc"}]}))
    if refused.ok:
        raise OperationFailedError("A row with a misspelt age was scored as if it were right.")
    say(f"{answered} rows scored; one bad row refused with {refused.status}")
    _await_telemetry(journey, answered)
    return DEPLOYMENT


def _await_telemetry(journey: Journey, request_count: int) -> None:
    """Telemetry arrives within seconds, not at once."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = journey.clock() + timedelta(minutes=1)
        window = TimeWindow(start=now - timedelta(hours=1), end=now, bin=timedelta(minutes=1))
        try:
            seen = journey.workspace.telemetry.panel(Panel.REQUESTS, window, DEPLOYMENT).frame
            if len(seen) and seen["requests"].sum() >= request_count:
                return
        except UnavailableError:  # it may be starting
            pass
        time.sleep(POLL_S)
    raise OperationFailedError("The scored requests did not reach telemetry within a minute.")


def benchmark(journey: Journey, say: Say) -> str:
    """400 requests, four at a time: enough for an honest p99."""
    payload = _sample_payload(journey)
    plan = LoadTestPlan(deployment=DEPLOYMENT, payload=payload, requests=400, concurrency=4)
    test = journey.workspace.load_tests.begin(plan)
    while not (test := journey.workspace.load_tests.get(test.id)).state.settled:
        say(f"{test.done_count} of 400 requests")
        time.sleep(POLL_S)
    say(_figures(test))
    return test.id


def _sample_payload(journey: Journey) -> str:
    contract = journey.workspace.scoring.contract(DEPLOYMENT)
    return json.dumps({"data": [{column.name: column.example for column in contract.columns}]})


def _figures(test: LoadTest) -> str:
    if test.report is None:
        raise OperationFailedError(f"The benchmark ended as {test.state}. {test.error}")
    report = test.report
    return (
        f"{report.complete_count} requests, {report.requests_per_s:.0f} a second, "
        f"p50 {report.percentiles_ms[50]:.0f} ms, {report.failed_count} failed"
    )


def schedule(journey: Journey, say: Say) -> str:
    """Publish the retraining pipeline and submit it every 24 hours, from tomorrow on.

    An earlier flow's schedule is disabled: one retraining a day is meant.
    """
    pipelines, schedules = journey.workspace.pipelines, journey.workspace.schedules
    settings = AutoMLSettings(
        experiment=f"{EXPERIMENT}-retraining",
        dataset_id=journey.results["dataset"],
        label_column_name="y",
        experiment_timeout_minutes=journey.training_minutes,
    )
    published = pipelines.publish_retraining(
        PIPELINE, RetrainingPlan(settings=settings, model_name=DEPLOYMENT)
    )
    start = (journey.clock() + timedelta(days=1)).replace(tzinfo=None, second=0, microsecond=0)
    for earlier in schedules.list():
        if (earlier.name, earlier.experiment) == (SCHEDULE, settings.experiment):
            schedules.disable(earlier.id)
    made = schedules.create(
        SCHEDULE,
        Recurrence(frequency=Frequency.HOUR, interval=24, start_time=start, time_zone="UTC"),
        pipeline_id=published.id,
        experiment=settings.experiment,
    )
    say(f"{PIPELINE} is published and scheduled every 24 hours")
    return made.id


STEPS = (
    Step("dataset", "Register a dataset", dataset),
    Step("training", "Find the best model with AutoML", training),
    Step("deployment", "Deploy it behind a key", deployment),
    Step("telemetry", "Turn Application Insights on", telemetry),
    Step("scoring", "Read the API and score rows", scoring),
    Step("benchmark", "Benchmark it with ab", benchmark),
    Step("schedule", "Publish and schedule retraining", schedule),
)
