"""Published pipelines, their endpoints and runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.domain import (
    AutoMLSettings,
    LogTail,
    PipelineEndpoint,
    PipelineGraph,
    PipelineRun,
    PublishedPipeline,
    StepRun,
)
from services.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd


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
