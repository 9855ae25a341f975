"""The workspace's nouns, one frozen record each; STYLE's glossary lists them all.

Records cross every port in both directions. They hold plain values only (no
connection, no process handle), so they are safe to compare, pickle and cache.
Instants are timezone-aware UTC. A number with a unit says so in its name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from services.errors import InvalidRequestError

# --- the workspace itself ---------------------------------------------------------


class Capability(StrEnum):
    """What only some back ends can do; a page asks before it offers."""

    SAMPLE_DATASETS = "sample datasets"
    INSPECT_SOURCE = "inspect a file before registering it"
    AUTOML_TRAINING = "start AutoML from the dashboard"
    PUBLISH_PIPELINE = "publish a pipeline from the dashboard"
    WHOLE_FLOW = "run the whole flow"
    TELEMETRY_QUERY = "query telemetry"
    BATCH_INFERENCE = "batch inference"
    SCHEDULE_LEDGER = "record missed firings"
    ALERTS = "notice trouble by itself"
    DELETE_SCHEDULE = "delete a schedule"
    EVALUATION = "look at a model's predictions"
    PAUSE_SCHEDULES = "pause schedules until a time"
    RETRY_PIPELINE_RUNS = "retry failed pipeline runs by itself"
    RETRAINING_LOOP = "hold a retrained model until somebody approves it"


class ComponentState(StrEnum):
    RUNNING = "Running"
    STARTING = "Starting"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the workspace that works in the background."""

    name: str  # "supervisor", "telemetry server"
    state: ComponentState
    detail: str = ""  # one sentence: since when, or why not and what to do
    since: datetime | None = None


class StepOutcome(StrEnum):
    PASSED = "Passed"
    FAILED = "Failed"
    PARTLY = "Partly"  # some of it works
    NOT_TRIED = "Not tried"  # an earlier step failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStep:
    """One step on the way to a workspace that lives elsewhere, as it was just tried."""

    title: str
    outcome: StepOutcome
    detail: str  # what was found, or what to do
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The end of a log. Whoever shows it says how much of the log it is."""

    text: str
    line_count: int
    limit: int  # how many lines were asked for at most
    complete: bool  # the text is the whole log


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One change somebody made."""

    at: datetime
    actor: str
    action: str  # "deployment.create", "schedule.disable"
    subject: str  # "deployment/bank"
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


# --- datasets ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A registered, versioned reference to tabular data."""

    name: str
    version: int
    created_at: datetime
    source: str  # where it came from, for people: a file name, a path, a URL
    row_count: int | None = None  # None when the back end cannot tell without reading it
    column_count: int | None = None
    size_bytes: int | None = None
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def readable(self) -> bool:
        """False of what the back end lists but cannot describe; `description` says so."""
        return self.version > 0

    @property
    def synthetic(self) -> bool:
        """Made by a generator. Said wherever the dataset appears."""
        return self.tags.get("synthetic") == "true"


class SourceKind(StrEnum):
    UPLOAD = "upload"
    PATH = "local path"
    URL = "URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Where the rows of a new dataset come from."""

    kind: SourceKind
    location: str  # the file's name, its path, or its URL
    content: bytes | None = field(default=None, repr=False)  # an upload's bytes
    sha256: str | None = None  # refuse other contents
    delimiter: str | None = None  # None: find out
    decimal: str | None = None  # "." or ","; None: find out
    encoding: str | None = None  # None: find out


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What registering a source would store, found out without storing it."""

    row_count: int
    columns: Mapping[str, str]  # name → type word, in file order
    format: str  # "CSV" or "Parquet"
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    head: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDataset:
    """A dataset this workspace offers to register with one click."""

    id: str
    name: str  # of the dataset it registers
    title: str
    description: str
    needs_network: bool
    synthetic: bool


class ColumnType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    name: str
    type: ColumnType
    missing_count: int
    distinct_count: int
    minimum: float | str | None  # numbers and instants (ISO text); None for the rest
    maximum: float | str | None
    mean: float | None
    standard_deviation: float | None
    quartiles: tuple[float, float, float] | None
    top_values: tuple[tuple[str, int], ...]  # most frequent first, at most a hundred
    histogram: tuple[tuple[float, float, int], ...]  # (from, to, count), sentinels left out
    ordinary_range: tuple[float, float] | None = None  # of a number, sentinels left out
    sentinels: tuple[float, ...] = ()  # values that stand for "none", like pdays = 999
    typical: Any = None  # a real value: a number's lower median, else the most frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProfile:
    row_count: int
    duplicate_count: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile:
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidRequestError(f"The dataset has no column “{name}”.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContract:
    """What one value of a row must look like, and what a form should offer."""

    name: str
    type: ColumnType
    nullable: bool
    minimum: float | None = None  # seen in the data: outside is unusual, not wrong
    maximum: float | None = None
    categories: tuple[str, ...] = ()  # every value seen, when they are few
    sentinels: tuple[float, ...] = ()  # values that stand for "none", like pdays = 999
    example: Any = None  # a real value: median, or the most frequent


@dataclass(frozen=True, slots=True, kw_only=True)
class DataContract:
    """What a row must look like: feeds the form, the CSV check and the scoring server."""

    columns: tuple[ColumnContract, ...]  # features, in order
    label: str | None = None
    classes: tuple[str, ...] = ()  # the label's values as text; empty for regression
    dataset_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """One objection to one row of data."""

    row: int | None  # counted from 1; None when there is only one row
    column: str  # empty when the row as a whole is meant
    message: str  # a sentence that names the row and the column
    blocking: bool  # no model can read the row; otherwise it is only unlike the data


# --- experiments and runs ---------------------------------------------------------


class RunStatus(StrEnum):
    """Azure's own words.

    Source: azureml-core 1.61.0, ``azureml._restclient.constants.RunStatus``.
    """

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    PAUSED = "Paused"
    UNKNOWN = "Unknown"  # a word we have not met; the adapter logs it

    @property
    def settled(self) -> bool:
        return self in _SETTLED_RUNS


_SETTLED_RUNS = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})


class RunKind(StrEnum):
    AUTOML = "automl"
    AUTOML_CHILD = "automl child"
    PIPELINE = "pipeline"
    STEP = "step"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A named container of runs."""

    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One trial: status, score, and where its metrics, logs and files are found."""

    id: str
    experiment: str
    number: int
    kind: RunKind
    display_name: str  # a child's algorithm as Azure names it: "MaxAbsScaler, LightGBM"
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parent_id: str | None = None
    primary_metric: str | None = None
    score: float | None = None  # of the primary metric; a parent has its best child's
    best_child_id: str | None = None  # parents only
    error: str = ""  # one sentence, when Failed
    dataset_id: str | None = None  # "name:version" it was trained on
    properties: Mapping[str, str] = field(default_factory=dict)  # Azure's names
    tags: Mapping[str, str] = field(default_factory=dict)

    def duration(self, now: datetime) -> timedelta | None:
        """How long it has been running, or ran. None before it started."""
        return (self.ended_at or now) - self.started_at if self.started_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The pinned run of an experiment: the one every other run is held against."""

    experiment: str
    run_id: str
    pinned_at: datetime


class Task(StrEnum):
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class MetricGoal(StrEnum):
    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


PRIMARY_METRICS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.CLASSIFICATION: (
            "AUC_weighted",
            "accuracy",
            "norm_macro_recall",
            "average_precision_score_weighted",
            "precision_score_weighted",
        ),
        Task.REGRESSION: (
            "normalized_root_mean_squared_error",
            "r2_score",
            "spearman_correlation",
            "normalized_mean_absolute_error",
        ),
    }
)


def metric_goal(metric: str) -> MetricGoal:
    """Whether a larger or a smaller value of an Azure metric is the better one."""
    smaller = metric == "log_loss" or "_error" in metric
    return MetricGoal.MINIMIZE if smaller else MetricGoal.MAXIMIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoMLSettings:
    """What to search and for how long; the names are those of Azure's ``AutoMLConfig``."""

    experiment: str
    dataset_id: str  # "name:version"
    label_column_name: str
    task: Task = Task.CLASSIFICATION
    primary_metric: str = "AUC_weighted"
    experiment_timeout_minutes: float = 15.0
    max_concurrent_iterations: int = 2
    iterations: int | None = None  # None: as many as the timeout allows
    enable_early_stopping: bool = True
    validation_size: float | None = None  # a fraction; None with n_cross_validations None: auto
    n_cross_validations: int | None = None
    featurization: str = "auto"  # or "off"
    enable_onnx_compatible_models: bool = True
    enable_voting_ensemble: bool = True
    enable_stack_ensemble: bool = True
    model_explainability: bool = True
    seed: int = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleMember:
    run_id: str
    algorithm: str
    weight: float  # the weights of one ensemble sum to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Global feature importance, largest first."""

    method: str  # how it was computed, for people
    raw: tuple[tuple[str, float], ...]
    engineered: tuple[tuple[str, float], ...]
    fidelity: float | None = None  # R² of a surrogate against the model
    row_count: int | None = None  # how many rows were explained


# --- models -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The registered result of training; its id is ``name:version``."""

    name: str
    version: int
    created_at: datetime
    run_id: str | None = None
    experiment: str | None = None
    dataset_id: str | None = None
    algorithm: str = ""
    framework: str = ""
    description: str = ""
    size_bytes: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)  # primary metric, score, label …

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def readable(self) -> bool:
        """False of what the back end lists but cannot describe; `description` says so."""
        return self.version > 0


# --- evaluations ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPlan:
    """Which predictions to look at, and on which rows."""

    model_id: str
    against: str | None = None  # the model it is held against
    dataset_id: str | None = None  # None: the rows that training held out

    @property
    def id(self) -> str:
        """The same question has the same id: its answer never changes."""
        asked = "\n".join((self.model_id, self.against or "", self.dataset_id or ""))
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How a challenger's metric differs from a champion's on the same rows."""

    metric: str
    champion: float
    challenger: float
    low: float  # of challenger − champion, 95 % interval
    high: float
    row_count: int
    verdict: Verdict  # of the challenger
    method: str  # how the interval was made, for people
    reason: str = ""  # why nothing can be told, where the interval alone does not say

    @property
    def value(self) -> float:
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """A metric on the rows that share a value, or a range of values, of one column."""

    column: str
    label: str
    row_count: int
    value: float | None  # None where these rows do not define it
    thin: bool  # too few rows to be ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model's predictions were found to be worth."""

    id: str
    plan: EvaluationPlan
    status: RunStatus
    created_at: datetime
    ended_at: datetime | None = None
    error: str = ""  # one sentence, when Failed
    rows: str = ""  # which rows these are, for people
    row_count: int = 0
    metric: str = ""
    value: float | None = None  # of the model, on all these rows
    difference: Difference | None = None  # where it was held against another
    slices: tuple[SliceScore, ...] = ()  # of the model; those of one column add up to all rows


# --- deployments ------------------------------------------------------------------


class DeploymentState(StrEnum):
    """Azure ML's own words, so a screen, a log line and the portal agree."""

    TRANSITIONING = "Transitioning"
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    FAILED = "Failed"
    UNKNOWN = "Unknown"  # a word we have not met; the adapter logs it

    @property
    def settled(self) -> bool:
        return self is not DeploymentState.TRANSITIONING


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A registered model served over HTTP."""

    name: str
    model_id: str  # "name:version"
    state: DeploymentState
    scoring_uri: str | None  # None until the server has an address
    swagger_uri: str | None
    auth_enabled: bool
    telemetry_enabled: bool
    created_at: datetime
    updated_at: datetime
    state_since: datetime | None = None  # when it entered this state, where that is known
    compute_type: str = "Local"  # "ACI", "AKS" on Azure
    cpu_cores: float | None = None
    memory_gb: float | None = None
    description: str = ""
    error: str = ""  # one sentence, when Unhealthy or Failed
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)  # its scoring core and parity


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One passage through Transitioning: a creation or an update."""

    kind: str  # "create", "update model", "update telemetry", "restart"
    started_at: datetime
    ended_at: datetime | None
    outcome: DeploymentState | None  # None while it lasts


class KeyKind(StrEnum):
    PRIMARY = "Primary"
    SECONDARY = "Secondary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Two interchangeable secrets; either one authorises a scoring request."""

    primary: str = field(repr=False)
    secondary: str = field(repr=False)
    primary_regenerated_at: datetime | None = None
    secondary_regenerated_at: datetime | None = None


def check_deployment_name(name: str) -> None:
    """Refuse a name that Azure ML would refuse, whichever adapter is in use.

    Raises:
        InvalidRequestError: the rule, in words.

    Source: azureml-core 1.61.0, ``webservice_name_validation``.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", name):
        raise InvalidRequestError(
            "A deployment name has 3 to 32 lowercase letters, digits or dashes; "
            "it starts with a letter and does not end with a dash."
        )


def check_asset_name(kind: str, name: str) -> None:
    """Refuse a dataset, model or experiment name that could not be part of a path.

    Raises:
        InvalidRequestError: the rule, in words.
    """
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._ ()-]{0,253}[A-Za-z0-9._)-])?", name):
        raise InvalidRequestError(
            f"A {kind} name starts with a letter or a digit and has at most 255 letters, digits, "
            "spaces, dots, dashes, underscores or parentheses."
        )


def split_id(kind: str, asset_id: str) -> tuple[str, int]:
    """The name and version in a ``name:version`` id.

    Raises:
        InvalidRequestError: it is not of that form.
    """
    name, separator, version = asset_id.rpartition(":")
    if not separator or not name or not version.isdigit():
        raise InvalidRequestError(f"“{asset_id}” is no {kind} id; it is written name:version.")
    return name, int(version)


# --- scoring ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringAnswer:
    """What came back for one payload, after the retries it took."""

    status: int | None  # HTTP status of the last attempt; None when nobody answered
    ok: bool  # 2xx and the body is a result, not an error message
    body: str  # as received
    results: tuple[Any, ...]  # one per row when ok
    probabilities: tuple[Mapping[str, float], ...]  # one per row, where the model gives them
    error: str  # one sentence when not ok
    attempts: int
    duration_ms: float  # the last attempt, measured at the caller
    run_ms: float | None  # inside run(), as the server reports it
    request_id: str | None
    sent_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)  # of the answer


# --- telemetry --------------------------------------------------------------------


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
    OVERVIEW = "summary, bins and deployments at once"  # where a question costs a request
    BIN_REQUESTS = "requests of one bin"
    BIN_EXCEPTIONS = "exceptions of one bin"
    BIN_TRACES = "traces of one bin"


# --- load tests -------------------------------------------------------------------


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


# --- pipelines and schedules ------------------------------------------------------


class AssetStatus(StrEnum):
    """Of a published pipeline, a pipeline endpoint or a schedule."""

    ACTIVE = "Active"
    DISABLED = "Disabled"
    UNKNOWN = "Unknown"  # a word we have not met, or a description that cannot be read


class PipelineKind(StrEnum):
    RETRAINING = "retraining"
    BATCH_INFERENCE = "batch inference"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParameter:
    name: str
    default: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    id: str
    name: str
    kind: str  # "dataset", "automl_module", "model", "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineGraph:
    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[str, str], ...]  # from node id to node id


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPipeline:
    """A pipeline that can be submitted without the code that built it."""

    id: str
    name: str
    version: str
    status: AssetStatus
    endpoint: str  # the REST address that submits it; a path alone is on this dashboard's own
    created_at: datetime | None
    kind: PipelineKind = PipelineKind.OTHER
    description: str = ""
    parameters: tuple[PipelineParameter, ...] = ()
    experiment: str = ""  # suggested for its runs, where the back end keeps a suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineEndpoint:
    """A stable, named address in front of successive published pipelines."""

    id: str
    name: str
    status: AssetStatus
    endpoint: str
    default_version: str
    versions: Mapping[str, str]  # version → published pipeline id
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """How far a batch inference has come. ``done + failed`` never exceeds ``total``."""

    total_count: int
    done_count: int
    failed_count: int
    last_progress_at: datetime | None

    @property
    def left_count(self) -> int:
        return self.total_count - self.done_count - self.failed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun:
    """One submission of a published pipeline."""

    id: str
    pipeline_id: str
    experiment: str
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    schedule_id: str | None = None
    run_source: str = ""  # "Dashboard", "REST", "Schedule", "SDK"
    parameters: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    training_run_id: str | None = None  # the AutoML parent it started
    model_id: str | None = None  # what it registered, or scored with
    batch: BatchProgress | None = None
    retry_of: str | None = None  # the failed run it repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a pipeline run."""

    id: str
    node_id: str
    name: str
    status: RunStatus
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""


class Frequency(StrEnum):
    MINUTE = "Minute"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


class WeekDay(StrEnum):
    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Every `interval` of `frequency`, from `start_time`, in `time_zone`.

    Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence``.
    """

    frequency: Frequency
    interval: int = 1
    start_time: datetime | None = None  # naive, local to `time_zone`; None: fires at once
    time_zone: str = "UTC"  # an IANA name; the Azure adapter translates to Windows names
    hours: tuple[int, ...] = ()  # Day and Week only
    minutes: tuple[int, ...] = ()  # Day and Week only
    week_days: tuple[WeekDay, ...] = ()  # Week only


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why a schedule stands still, and when it goes on by itself."""

    reason: str
    paused_at: datetime
    paused_by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a published pipeline is submitted."""

    id: str
    name: str
    status: AssetStatus
    recurrence: Recurrence  # means nothing where `irregular` says why
    experiment: str
    pipeline_id: str | None  # one of the two is set
    pipeline_endpoint_id: str | None = None
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    changed_at: datetime | None = None  # since when it is as it is; None: not known
    next_fire_at: datetime | None = None  # None when Disabled
    last_run: PipelineRun | None = None
    irregular: str = ""  # why no recurrence says when it fires: changed data, or an unreadable one
    pause: Pause | None = None  # it is Disabled for a while only


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One due time of a schedule and what became of it."""

    due_at: datetime
    fired_at: datetime | None  # None: missed
    run_id: str | None
    missed_count: int = 0  # earlier due times that collapsed into this one
    reason: str = ""  # why nothing was submitted, when there is no run


# --- the whole flow ---------------------------------------------------------------


class FlowStepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One of the steps from a dataset to a schedule, as the flow performs it."""

    key: str  # "dataset", "training", "deployment", "telemetry", "scoring", "benchmark", "schedule"
    title: str
    state: FlowStepState
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result_id: str = ""  # what it made: a dataset id, a run id, a deployment name …


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowProgress:
    steps: tuple[FlowStep, ...]
    started_at: datetime | None
    ended_at: datetime | None
    error: str = ""

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.ended_at is None
