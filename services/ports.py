"""What the dashboard may ask of a workspace.

An adapter subclasses these. Their docstrings are the contract and
``tests/contract`` is its executable form: if the two disagree, fix both.

Verbs mean what the Azure SDK guidelines say. `list` answers a tuple, in a stated
order, empty when there is nothing. `get` answers the thing now or raises
`NotFoundError`. `begin_…` returns before the work is done. `delete` succeeds when the
thing is already gone. Every method may raise `UnavailableError` and
`AccessDeniedError`; the docstrings name the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from services.alerts.ports import Alerts, MetricBands, Probes
from services.capacity import CapacitySearches
from services.domain import (
    AuditEvent,
    AutoMLSettings,
    Baseline,
    Capability,
    Component,
    DataContract,
    Dataset,
    DatasetProfile,
    DataSource,
    Deployment,
    EnsembleMember,
    Evaluation,
    EvaluationPlan,
    Experiment,
    Explanation,
    Firing,
    FlowProgress,
    Inspection,
    KeyKind,
    Keys,
    LoadTest,
    LoadTestPlan,
    LogTail,
    Model,
    Panel,
    PipelineEndpoint,
    PipelineGraph,
    PipelineRun,
    PublishedPipeline,
    Recurrence,
    Run,
    SampleDataset,
    Schedule,
    ScoringAnswer,
    StepRun,
    TimeWindow,
    Transition,
)
from services.errors import InvalidRequestError
from services.load_test_rules import LoadTestRules
from services.log_archive import LogArchives
from services.retraining_loop import RetrainingLoop
from services.rotation import Rotations
from services.scored.gate import GoldenGate
from services.scored.records import ScoredRequests

if TYPE_CHECKING:
    import pandas as pd


class Datasets(ABC):
    """Registered tabular data."""

    @abstractmethod
    def list(self) -> tuple[Dataset, ...]:
        """The latest version of every dataset, newest first."""

    @abstractmethod
    def versions(self, name: str) -> tuple[Dataset, ...]:
        """Every version of one dataset, newest first.

        Raises:
            NotFoundError: nothing is registered under `name`.
        """

    @abstractmethod
    def get(self, name: str, version: int | None = None) -> Dataset:
        """One version, the latest when `version` is None.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def register(
        self,
        name: str,
        source: DataSource,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Store what `source` holds as the next version of `name`.

        Raises:
            InvalidRequestError: the name or the contents cannot be accepted; of a file
                that cannot be read the message names the line and the reason.
            UnavailableError: the URL did not answer.
        """

    @abstractmethod
    def inspect(self, source: DataSource) -> Inspection:
        """What `register` would store, without storing it. `Capability.INSPECT_SOURCE`.

        Raises:
            InvalidRequestError, UnavailableError: as `register`.
        """

    @abstractmethod
    def head(self, name: str, version: int, row_count: int) -> pd.DataFrame:
        """The first rows, in file order, with the file's columns.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def profile(self, name: str, version: int) -> DatasetProfile:
        """Types, missing values, ranges and frequent values of every column.

        Raises:
            NotFoundError: no such name or version.
        """

    @abstractmethod
    def contract(self, name: str, version: int, *, label: str | None = None) -> DataContract:
        """What a row must look like, derived from the data; `label` is left out of the features.

        Raises:
            NotFoundError: no such name or version.
            InvalidRequestError: `label` is no column of it.
        """

    @abstractmethod
    def samples(self) -> tuple[SampleDataset, ...]:
        """What can be registered with one click. Empty without `Capability.SAMPLE_DATASETS`."""

    @abstractmethod
    def register_sample(self, sample_id: str) -> Dataset:
        """Fetch or generate a sample and register it as the next version of its name.

        Raises:
            NotFoundError: no sample has this id.
            UnavailableError: it is downloaded, and its address did not answer.
            InvalidRequestError: the downloaded contents are not the expected ones.
        """


class Runs(ABC):
    """Experiments and their runs."""

    @abstractmethod
    def experiments(self) -> tuple[Experiment, ...]:
        """Every experiment, newest first."""

    @abstractmethod
    def list(self, experiment: str | None = None, *, limit: int = 500) -> tuple[Run, ...]:
        """Runs without a parent, newest first, of one experiment or of all."""

    @abstractmethod
    def get(self, run_id: str) -> Run:
        """The run as it is at this moment.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def children(self, run_id: str) -> tuple[Run, ...]:
        """The runs it started, in the order they started. Cheap: scores come with them.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def metrics(self, run_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Run id → metric name → value. A metric a run lacks is absent, never 0."""

    @abstractmethod
    def table(self, run_id: str, name: str) -> Mapping[str, Any]:
        """A chart artifact in Azure's JSON: ``confusion_matrix``, ``accuracy_table``,
        ``residuals`` or ``predicted_true``.

        Raises:
            NotFoundError: the run has no such artifact.

        Source: azureml-training-tabular, schema versions 1.0.0 and 1.0.1 (accuracy_table).
        """

    @abstractmethod
    def ensemble(self, run_id: str) -> tuple[EnsembleMember, ...]:
        """Members of an ensemble run, heaviest first; empty for other runs."""

    @abstractmethod
    def explanation(self, run_id: str) -> Explanation:
        """Global feature importance.

        Raises:
            NotFoundError: none was computed for this run.
        """

    @abstractmethod
    def logs(self, run_id: str, *, line_limit: int = 1000) -> LogTail:
        """The end of the run's main log.

        Raises:
            NotFoundError: no run has this id.
        """

    @abstractmethod
    def files(self, run_id: str) -> tuple[str, ...]:
        """Paths of the run's artifacts, sorted."""

    @abstractmethod
    def file(self, run_id: str, path: str) -> bytes:
        """One artifact.

        Raises:
            NotFoundError: the run has no such file.
        """

    @abstractmethod
    def begin_automl(self, settings: AutoMLSettings) -> Run:
        """Queue an AutoML parent run. `Capability.AUTOML_TRAINING`.

        Raises:
            InvalidRequestError: the settings contradict each other or the dataset.
            NotFoundError: the dataset is not registered.
        """

    @abstractmethod
    def automl_settings(self, run_id: str) -> AutoMLSettings:
        """What an AutoML parent was started with, to show it or to start it again.

        Raises:
            NotFoundError: no AutoML parent has this id.
        """

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Ask the run and its children to end as Canceled. A settled run stays as it is.

        Raises:
            NotFoundError: no run has this id.
        """


class Baselines(ABC):
    """Pinned runs, at most one per experiment. Kept by the dashboard: Azure has no such thing."""

    @abstractmethod
    def list(self) -> tuple[Baseline, ...]:
        """Every pin, by experiment. The run it names may be gone by now."""

    @abstractmethod
    def pin(self, experiment: str, run_id: str) -> Baseline:
        """Hold the runs of `experiment` against this one from now on."""

    @abstractmethod
    def unpin(self, experiment: str) -> None:
        """Hold them against none. Unpinning what is not pinned succeeds."""


class Models(ABC):
    """Registered models."""

    @abstractmethod
    def list(self) -> tuple[Model, ...]:
        """Every version of every model, newest first."""

    @abstractmethod
    def get(self, model_id: str) -> Model:
        """One version.

        Raises:
            NotFoundError: it is not registered.
            InvalidRequestError: `model_id` is not of the form ``name:version``.
        """

    @abstractmethod
    def register(
        self,
        run_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Register the model a run left behind as the next version of `name`.

        A parent run means its best child.

        Raises:
            NotFoundError: no run has this id.
            InvalidRequestError: the name cannot be accepted, or the run has no model.
        """

    @abstractmethod
    def update(
        self,
        model_id: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Change what is written about a model; None leaves it as it is.

        Raises:
            NotFoundError: it is not registered.
        """

    @abstractmethod
    def contract(self, model_id: str) -> DataContract:
        """What a row for this model must look like.

        Raises:
            NotFoundError: it is not registered, or was registered without a contract.
        """


class Evaluations(ABC):
    """What models' predictions are worth on rows they have not learnt from."""

    @abstractmethod
    def list(self) -> tuple[Evaluation, ...]:
        """Every evaluation, newest first."""

    @abstractmethod
    def get(self, evaluation_id: str) -> Evaluation:
        """The evaluation as it is at this moment.

        Raises:
            NotFoundError: nobody asked for it.
        """

    @abstractmethod
    def begin(self, plan: EvaluationPlan) -> Evaluation:
        """Look at the predictions in the background. `Capability.EVALUATION`.

        The answer to the same question is kept; one that failed is tried again.

        Raises:
            NotFoundError: a model or the dataset is not registered.
            InvalidRequestError: a model cannot be held against itself, or models are
                only looked at where they are.
        """


class Deployments(ABC):
    """Models being served. Azure ML calls each one a web service."""

    @abstractmethod
    def list(self) -> tuple[Deployment, ...]:
        """Every deployment, newest first."""

    @abstractmethod
    def get(self, name: str) -> Deployment:
        """The deployment as it is at this moment.

        Raises:
            NotFoundError: nothing is deployed under `name`.
        """

    @abstractmethod
    def begin_create(
        self,
        name: str,
        model_id: str,
        *,
        auth: bool = True,
        telemetry: bool = False,
        cpu_cores: float = 1.0,
        memory_gb: float = 1.0,
        description: str = "",
    ) -> Deployment:
        """Start serving a registered model; returns before the server answers.

        Call `get` until ``state.settled``. A server that never comes up ends
        as ``FAILED``, with the reason in `logs`.

        Raises:
            ConflictError: `name` is taken, whatever state it is in.
            InvalidRequestError: Azure ML would not accept `name`.
            NotFoundError: `model_id` is not registered.
        """

    @abstractmethod
    def begin_update(
        self, name: str, *, model_id: str | None = None, telemetry: bool | None = None
    ) -> Deployment:
        """Serve another model version, or turn Application Insights on or off.

        Passes through Transitioning; None leaves a setting as it is.

        Raises:
            NotFoundError: no such deployment, or the model is not registered.
            ConflictError: an earlier update has not settled.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Stop serving. Deleting what is already gone succeeds."""

    @abstractmethod
    def transitions(self, name: str | None = None) -> tuple[Transition, ...]:
        """Past and present passages through Transitioning, newest first, of one or of all."""

    @abstractmethod
    def keys(self, name: str) -> Keys:
        """Both keys. Fetched when shown, never remembered.

        Raises:
            NotFoundError: no such deployment.
            InvalidRequestError: it accepts anonymous calls and has no keys.
        """

    @abstractmethod
    def keys_replaced_at(self, name: str) -> Mapping[KeyKind, datetime]:
        """Since when each key has been in use, as far as that is known. Asks for no key.

        Empty for one that has no keys, or does not exist.
        """

    @abstractmethod
    def begin_regenerate_key(self, name: str, kind: KeyKind) -> None:
        """Replace one key; the other keeps working. Done when `keys` shows a new one.

        Raises:
            NotFoundError, InvalidRequestError: as `keys`.
        """

    @abstractmethod
    def logs(self, name: str, *, line_limit: int = 5000) -> LogTail:
        """The end of the server's log, oldest line first.

        Raises:
            NotFoundError: no such deployment.
        """

    @abstractmethod
    def swagger(self, name: str) -> Mapping[str, Any]:
        """The OpenAPI document the deployment serves about itself, fetched from here.

        Raises:
            NotFoundError: no such deployment, or it has no document (a scoring script
                without an input and output schema).
            UnavailableError: it has no address yet, or does not answer.
        """


class Scoring(ABC):
    """Asking a deployment for predictions, with its key, without showing it to anybody."""

    @abstractmethod
    def score(self, deployment: str, payload: str, *, timeout_s: float = 60.0) -> ScoringAnswer:
        """Post a JSON body; failures of the deployment are in the answer, not raised.

        Raises:
            NotFoundError: no such deployment.
            UnavailableError: it has no scoring URI yet.
        """

    @abstractmethod
    def contract(self, deployment: str) -> DataContract:
        """What a row for this deployment must look like.

        Raises:
            NotFoundError: no such deployment, or nothing is known about its input.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """Rows of a KQL query. `frame` is read only: it may be shared."""

    frame: pd.DataFrame  # datetimes are UTC instants, durations float milliseconds
    kql: str
    fetched_at: datetime
    elapsed_ms: float
    partial: str = ""  # why rows are missing, when the service said so


class Telemetry(ABC):
    """What Application Insights recorded. One KQL text per panel for every back end."""

    @property
    @abstractmethod
    def resource(self) -> str:
        """Which Application Insights resource is asked, for people; empty when none is."""

    @property
    def connection_string(self) -> str:
        """Where telemetry is sent. It holds a key; empty while nobody takes telemetry in."""
        return ""

    @property
    def arrival_delay(self) -> timedelta:
        """How long after a request its row can usually be asked for."""
        return timedelta(seconds=5)

    @property
    def sampled_pct(self) -> float:
        """The share of what is sent that the resource keeps, in percent."""
        return 100.0

    @abstractmethod
    def query(self, kql: str, *, timeout_s: float = 30.0) -> QueryResult:
        """Run a read-only KQL query.

        Raises:
            InvalidRequestError: the query is wrong; the message is the service's own.
        """

    @abstractmethod
    def panel(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> QueryResult:
        """The rows behind one panel, of one deployment or of all.

        Columns per panel are documented in ``services.app_insights.kql``.

        Args:
            own_traffic: False leaves out what load tests and probes sent.
        """

    @abstractmethod
    def kql(
        self,
        panel: Panel,
        window: TimeWindow,
        deployment: str | None = None,
        own_traffic: bool = True,
    ) -> str:
        """The query `panel` would send."""


class LoadTests(ABC):
    """Apache Benchmark runs and imported reports."""

    @abstractmethod
    def list(self, deployment: str | None = None) -> tuple[LoadTest, ...]:
        """Newest first."""

    @abstractmethod
    def get(self, load_test_id: str) -> LoadTest:
        """The load test as it is at this moment.

        Raises:
            NotFoundError: no load test has this id.
        """

    @abstractmethod
    def begin(self, plan: LoadTestPlan, *, confirmed: str = "") -> LoadTest:
        """Start sending; returns before the first request.

        Args:
            confirmed: the deployment's name as the operator typed it; needed where requests
                leave this machine.

        Raises:
            NotFoundError: the plan's deployment does not exist.
            InvalidRequestError: the plan is impossible or over its budget, was not confirmed,
                or ``ab`` is not installed.
            ConflictError: another load test of this deployment has not ended.
        """

    @abstractmethod
    def stop(self, load_test_id: str) -> None:
        """End it now, as Stopped, keeping what was measured. A settled one stays as it is."""

    @abstractmethod
    def import_report(self, name: str, text: str) -> LoadTest:
        """Keep an ``ab`` report made elsewhere.

        Raises:
            InvalidRequestError: the text is no report of a finished ``ab`` run.
        """

    @abstractmethod
    def report_text(self, load_test_id: str) -> str:
        """What ``ab`` printed, without its log of requests and without secrets.

        Empty when it printed nothing, or has not ended.

        Raises:
            NotFoundError: no load test has this id.
        """

    @abstractmethod
    def delete(self, load_test_id: str) -> None:
        """Forget a settled load test. Deleting what is already gone succeeds.

        Raises:
            ConflictError: it is still running.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingPlan:
    """What a retraining pipeline does each time; each field becomes a parameter's default."""

    settings: AutoMLSettings
    model_name: str  # registers the best model under this name; empty: registers nothing
    use_latest_dataset: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInferencePlan:
    """Which model scores which dataset."""

    model_id: str
    dataset_id: str
    chunk_rows: int = 1000


class Pipelines(ABC):
    """Published pipelines, the stable endpoints in front of them, and their runs."""

    @abstractmethod
    def list(self) -> tuple[PublishedPipeline, ...]:
        """Every published pipeline, disabled ones too, newest first."""

    @abstractmethod
    def get(self, pipeline_id: str) -> PublishedPipeline:
        """Raises NotFoundError: no published pipeline has this id."""

    @abstractmethod
    def graph(self, pipeline_id: str) -> PipelineGraph:
        """Its steps and what flows between them.

        Raises:
            NotFoundError: no published pipeline has this id.
        """

    @abstractmethod
    def publish_retraining(
        self, name: str, plan: RetrainingPlan, *, description: str = ""
    ) -> PublishedPipeline:
        """Publish dataset → automl_module → register. `Capability.PUBLISH_PIPELINE`.

        Raises:
            InvalidRequestError: the plan cannot be run.
            NotFoundError: it names a dataset that is not registered.
        """

    @abstractmethod
    def publish_batch_inference(
        self, name: str, plan: BatchInferencePlan, *, description: str = ""
    ) -> PublishedPipeline:
        """Publish dataset + model → score. `Capability.BATCH_INFERENCE`.

        Raises:
            InvalidRequestError, NotFoundError: as `publish_retraining`.
        """

    @abstractmethod
    def enable(self, pipeline_id: str) -> None:
        """Let it be submitted again. Raises NotFoundError."""

    @abstractmethod
    def disable(self, pipeline_id: str) -> None:
        """Refuse submissions, REST and schedules included. Raises NotFoundError."""

    @abstractmethod
    def submit(
        self,
        pipeline_id: str,
        experiment: str,
        *,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        """Start a run now.

        Raises:
            NotFoundError: no published pipeline has this id.
            ConflictError: it is disabled.
            InvalidRequestError: a parameter is unknown or its value cannot be used.
        """

    @abstractmethod
    def submit_endpoint(
        self,
        endpoint_id: str,
        experiment: str,
        *,
        version: str | None = None,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        """Start a run of the pipeline behind an endpoint, of its default version when None.

        Raises:
            NotFoundError: no such endpoint or version.
            ConflictError: the endpoint or the pipeline is disabled.
            InvalidRequestError: as `submit`.
        """

    @abstractmethod
    def runs(
        self,
        *,
        pipeline_id: str | None = None,
        schedule_id: str | None = None,
        limit: int = 200,
    ) -> tuple[PipelineRun, ...]:
        """Newest first, of one pipeline, one schedule, or all."""

    @abstractmethod
    def run(self, run_id: str) -> PipelineRun:
        """Raises NotFoundError: no pipeline run has this id."""

    @abstractmethod
    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        """The run's steps in order. Raises NotFoundError."""

    @abstractmethod
    def steps_of(self, run_ids: Sequence[str]) -> Mapping[str, tuple[StepRun, ...]]:
        """`steps` of many runs at once; a run that does not exist has none."""

    @abstractmethod
    def logs(self, run_id: str, node_id: str | None = None, *, line_limit: int = 1000) -> LogTail:
        """The end of a step's log, or of the whole run's. Raises NotFoundError."""

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Ask the run to end as Canceled. A settled run stays as it is. Raises NotFoundError."""

    def retry(self, run_id: str, *, at_most: int = 1) -> PipelineRun:
        """Submit a failed run again with the same parameters. `Capability.RETRY_PIPELINE_RUNS`.

        The attempt is made again, in the background, each time it fails, until one does not
        or `at_most` were made. An attempt of an attempt counts as one of the first run.

        Returns:
            The first attempt.

        Raises:
            NotFoundError: no pipeline run has this id.
            ConflictError: it did not fail, is being retried, or its pipeline is disabled.
            InvalidRequestError: `at_most` is out of reason, or this back end does not retry.
        """
        raise InvalidRequestError(
            "Nothing watches the runs of this workspace to retry them; submit the run again."
        )

    @abstractmethod
    def batch_output(self, run_id: str) -> pd.DataFrame:
        """The scored rows of a batch inference: input columns, ``prediction``, ``error``.

        Raises:
            NotFoundError: no such run, or it has no output yet.
        """

    @abstractmethod
    def endpoints(self) -> tuple[PipelineEndpoint, ...]:
        """Every pipeline endpoint, newest first."""

    @abstractmethod
    def create_endpoint(
        self, name: str, pipeline_id: str, *, description: str = ""
    ) -> PipelineEndpoint:
        """Raises ConflictError (name taken), NotFoundError (pipeline)."""

    @abstractmethod
    def add_endpoint_version(
        self, endpoint_id: str, pipeline_id: str, *, make_default: bool = True
    ) -> PipelineEndpoint:
        """Put another published pipeline behind the same address. Raises NotFoundError."""

    @abstractmethod
    def set_default_version(self, endpoint_id: str, version: str) -> PipelineEndpoint:
        """Raises NotFoundError: no such endpoint or version."""

    @abstractmethod
    def enable_endpoint(self, endpoint_id: str) -> None:
        """Let it be submitted again. Raises NotFoundError."""

    @abstractmethod
    def disable_endpoint(self, endpoint_id: str) -> None:
        """Refuse submissions through it; the pipelines behind it stay as they are.
        Raises NotFoundError."""

    @abstractmethod
    def rest_token(self) -> str:
        """A bearer token for the REST endpoints. A secret: fetched when shown."""


class Schedules(ABC):
    """When published pipelines are submitted."""

    @abstractmethod
    def list(self) -> tuple[Schedule, ...]:
        """Every schedule, disabled ones too, newest first.

        Where looking up last runs takes a request each, they are left out; `with_last_runs`
        adds them.
        """

    def with_last_runs(self, schedules: Sequence[Schedule]) -> tuple[Schedule, ...]:
        """The same schedules, each with its last run, where `list` leaves it out."""
        return tuple(schedules)

    @abstractmethod
    def get(self, schedule_id: str) -> Schedule:
        """Raises NotFoundError: no schedule has this id."""

    @abstractmethod
    def create(
        self,
        name: str,
        recurrence: Recurrence,
        *,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        experiment: str,
        description: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        """A new, Active schedule of a pipeline or a pipeline endpoint.

        Raises:
            InvalidRequestError: a rule of Azure's recurrence is broken, or not exactly
                one of pipeline and endpoint is given.
            NotFoundError: the pipeline or endpoint does not exist.
        """

    @abstractmethod
    def update(
        self,
        schedule_id: str,
        *,
        name: str | None = None,
        recurrence: Recurrence | None = None,
        experiment: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        """Change some of it; None leaves a field as it is. Raises as `create`."""

    @abstractmethod
    def enable(self, schedule_id: str) -> None:
        """Fire from now on; due times that passed meanwhile are not made up for."""

    @abstractmethod
    def disable(self, schedule_id: str) -> None:
        """Stop firing. Runs already started go on. A pause becomes a stop."""

    def pause(
        self, schedule_ids: Sequence[str], *, reason: str, until: datetime
    ) -> tuple[str, ...]:
        """Disable them all until a time, for a maintenance. `Capability.PAUSE_SCHEDULES`.

        At `until` they are Active again by themselves, unless somebody enabled or disabled
        one meanwhile; times that fell due before are not made up for. One that is Disabled
        for good is left alone; the end of one that is paused already moves.

        Returns:
            The ids of those that are paused now.

        Raises:
            NotFoundError: no schedule has one of these ids; none is paused then.
            InvalidRequestError: no reason is given, `until` is past or more than a year
                ahead, or this back end does not resume by itself.
        """
        raise InvalidRequestError(
            "Nothing would enable the schedules of this workspace again; disable them one by one."
        )

    @abstractmethod
    def delete(self, schedule_id: str) -> None:
        """Deleting what is already gone succeeds. Its runs stay. `Capability.DELETE_SCHEDULE`.

        Raises:
            InvalidRequestError: this back end keeps every schedule; it can be disabled.
        """

    @abstractmethod
    def firings(self, schedule_id: str, *, limit: int = 100) -> tuple[Firing, ...]:
        """Due times and what became of them, newest first. `Capability.SCHEDULE_LEDGER`.

        Without that capability only firings that started a run are known, as due when they did.

        Raises:
            NotFoundError: no schedule has this id.
        """


class AuditLog(ABC):
    """Who changed what."""

    @abstractmethod
    def list(self, *, subject: str | None = None, limit: int = 200) -> tuple[AuditEvent, ...]:
        """Newest first, of one subject or of all."""

    @abstractmethod
    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note one change. Values are plain and never secret.

        Args:
            action: noun and verb, ``deployment.create``.
            subject: kind and name, ``deployment/bank``.
        """


class Flow(ABC):
    """The whole flow from a dataset to a schedule, done for real, once, as a demonstration."""

    @abstractmethod
    def progress(self) -> FlowProgress:
        """The steps of the last flow, or of one that has not begun."""

    @abstractmethod
    def begin(self) -> FlowProgress:
        """Run the flow in the background. `Capability.WHOLE_FLOW`.

        Raises:
            ConflictError: it is running.
        """


NOT_HELD = "Retrained models are held for approval in a local workspace only."


class Workspace(ABC):
    """Everything one team has trained, deployed and scheduled."""

    name: str
    backend: str  # "local" or "azure"
    location: str  # for people: a folder, or subscription and resource group
    capabilities: frozenset[Capability]
    metered: bool = False  # each read is a request that somebody else's service counts

    @property
    @abstractmethod
    def datasets(self) -> Datasets: ...

    @property
    @abstractmethod
    def runs(self) -> Runs: ...

    @property
    @abstractmethod
    def baselines(self) -> Baselines: ...

    @property
    @abstractmethod
    def models(self) -> Models: ...

    @property
    @abstractmethod
    def evaluations(self) -> Evaluations: ...

    @property
    @abstractmethod
    def deployments(self) -> Deployments: ...

    @property
    @abstractmethod
    def scoring(self) -> Scoring: ...

    @property
    @abstractmethod
    def rotations(self) -> Rotations: ...

    @property
    @abstractmethod
    def scored(self) -> ScoredRequests: ...

    @property
    @abstractmethod
    def golden(self) -> GoldenGate: ...

    @property
    @abstractmethod
    def telemetry(self) -> Telemetry: ...

    @property
    @abstractmethod
    def load_tests(self) -> LoadTests: ...

    @property
    @abstractmethod
    def load_test_rules(self) -> LoadTestRules: ...

    @property
    @abstractmethod
    def capacity(self) -> CapacitySearches: ...

    @property
    @abstractmethod
    def pipelines(self) -> Pipelines: ...

    @property
    @abstractmethod
    def schedules(self) -> Schedules: ...

    @property
    @abstractmethod
    def audit(self) -> AuditLog: ...

    @property
    @abstractmethod
    def flow(self) -> Flow: ...

    @property
    @abstractmethod
    def log_archive(self) -> LogArchives: ...

    @property
    @abstractmethod
    def alerts(self) -> Alerts: ...

    @property
    @abstractmethod
    def bands(self) -> MetricBands: ...

    @property
    @abstractmethod
    def probes(self) -> Probes: ...

    @property
    def retraining(self) -> RetrainingLoop:
        """`Capability.RETRAINING_LOOP`. Raises InvalidRequestError: nobody judges runs here."""
        raise InvalidRequestError(NOT_HELD)

    @abstractmethod
    def components(self) -> tuple[Component, ...]:
        """What works in the background for this workspace, and whether it does."""

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities
