"""Published pipelines of an Azure ML workspace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from services.azure import pipeline_records as records
from services.azure.connection import Connection
from services.azure.pipeline_endpoints import PipelineEndpoints, check_version
from services.azure.pipeline_graphs import PipelineGraphs
from services.azure.pipeline_retries import PipelineRetries
from services.azure.pipeline_runs import PipelineRuns
from services.azure.pipelines_service import PipelinesService
from services.domain import (
    AssetStatus,
    LogTail,
    PipelineEndpoint,
    PipelineGraph,
    PipelineRun,
    PublishedPipeline,
    StepRun,
    check_asset_name,
)
from services.errors import ConflictError, InvalidRequestError
from services.ports import BatchInferencePlan, Pipelines, RetrainingPlan
from services.retries import SOURCE, KeptRetry, Retries

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

KIND = "published pipeline"
RUN_TYPE = "SDK"


class AzurePipelines(Pipelines):
    """Each method is one request, unless it says otherwise."""

    def __init__(
        self,
        connection: Connection,
        retries: Retries,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._service = PipelinesService(connection)
        self._graphs = PipelineGraphs(self._service)
        self._runs = PipelineRuns(connection, self._service, self._graphs)
        self._endpoints = PipelineEndpoints(connection, self._service)
        self._retries = PipelineRetries(self, retries, clock=clock)
        self._graph_of: dict[str, str] = {}  # pipeline id → graph id, which never changes

    # --- published pipelines ---

    def list(self) -> tuple[PublishedPipeline, ...]:
        answer = self._service.get("Pipelines", KIND, activeOnly="false")
        for item in answer if isinstance(answer, list) else ():
            self._remember(item)
        found = records.each(answer, records.pipeline, records.unreadable_pipeline)
        return records.newest_first(found, lambda each: each.created_at)

    def get(self, pipeline_id: str) -> PublishedPipeline:
        return records.one(self._entity(pipeline_id), KIND, records.pipeline)

    def graph(self, pipeline_id: str) -> PipelineGraph:
        """One request and one per step, and only the first time."""
        if pipeline_id not in self._graph_of:
            self._remember(self._entity(pipeline_id))
        if pipeline_id not in self._graph_of:
            return PipelineGraph(nodes=(), edges=())
        return self._graphs.get(self._graph_of[pipeline_id])

    def publish_retraining(
        self, name: str, plan: RetrainingPlan, *, description: str = ""
    ) -> PublishedPipeline:
        _from_code()

    def publish_batch_inference(
        self, name: str, plan: BatchInferencePlan, *, description: str = ""
    ) -> PublishedPipeline:
        _from_code()

    def enable(self, pipeline_id: str) -> None:
        """Two requests; one when it is so already."""
        self._set_status(pipeline_id, AssetStatus.ACTIVE)

    def disable(self, pipeline_id: str) -> None:
        """Two requests; one when it is so already."""
        self._set_status(pipeline_id, AssetStatus.DISABLED)

    def submit(
        self,
        pipeline_id: str,
        experiment: str,
        *,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        """Two requests. Values are checked by the steps, so a wrong one fails the run."""
        check_asset_name("experiment", experiment)
        pipeline = self._ready(pipeline_id, parameters or {})
        path = f"PipelineRuns/PipelineSubmit/{pipeline_id}"
        body = _submission(experiment, parameters or {}, run_source)
        return self._submitted(pipeline, path, body, {})

    def submit_endpoint(
        self,
        endpoint_id: str,
        experiment: str,
        *,
        version: str | None = None,
        parameters: Mapping[str, str] | None = None,
        run_source: str = "Dashboard",
    ) -> PipelineRun:
        """Three requests."""
        check_asset_name("experiment", experiment)
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint.status is not AssetStatus.ACTIVE:
            raise ConflictError(
                f"The pipeline endpoint “{endpoint.name}” is disabled; enable it to submit it "
                "again."
            )
        wanted = endpoint.default_version if version is None else version
        check_version(endpoint, wanted)
        pipeline = self._ready(endpoint.versions[wanted], parameters or {})
        path = f"PipelineRuns/PipelineEndpointSubmit/Id/{endpoint_id}"
        query = {} if version is None else {"pipelineVersion": version}
        path += "" if version is None else f"/{version}"
        body = _submission(experiment, parameters or {}, run_source)
        return self._submitted(pipeline, path, body, query)

    # --- runs ---

    def runs(
        self,
        *,
        pipeline_id: str | None = None,
        schedule_id: str | None = None,
        limit: int = 200,
    ) -> tuple[PipelineRun, ...]:
        """Of all pipelines, one request for each of them: SDK v1 has no list of all runs."""
        if schedule_id is not None:
            found = self._runs.of_schedule(schedule_id)
            found = [run for run in found if pipeline_id in (None, run.pipeline_id)]
        elif pipeline_id is not None:
            found = self._runs.of(pipeline_id)
        else:
            found = self._runs.of_all([each.id for each in self.list() if each.id])
        newest = records.newest_first(found, lambda each: each.created_at)[:limit]
        return self._retries.shown(newest)

    def run(self, run_id: str) -> PipelineRun:
        return self._retries.shown([self._runs.get(run_id)])[0]

    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        return self._runs.steps(run_id)

    def steps_of(self, run_ids: Sequence[str]) -> Mapping[str, tuple[StepRun, ...]]:
        return self._runs.steps_of(run_ids)

    def logs(self, run_id: str, node_id: str | None = None, *, line_limit: int = 1000) -> LogTail:
        return self._runs.logs(run_id, node_id, line_limit=line_limit)

    def cancel(self, run_id: str) -> None:
        self._runs.cancel(run_id)

    def retry(self, run_id: str, *, at_most: int = 1) -> PipelineRun:
        """Three requests, and as many again for each further attempt."""
        return self._retries.begin(run_id, at_most=at_most)

    def retry_due(self) -> None:
        """For whoever watches this workspace, again and again: the next attempt of what failed."""
        self._retries.go_on()

    def run_of(self, run_id: str) -> PipelineRun:
        return self._runs.plain(run_id)

    def runs_of(self, pipeline_id: str) -> Sequence[PipelineRun]:
        return self._runs.of(pipeline_id)

    def again(self, kept: KeptRetry) -> PipelineRun:
        """What the pipeline had then is sent as it was, whether or not it still has it."""
        pipeline = self._ready(kept.pipeline_id, {})
        path = f"PipelineRuns/PipelineSubmit/{kept.pipeline_id}"
        body = _submission(kept.experiment, kept.parameters, SOURCE)
        return self._submitted(pipeline, path, body, {})

    def batch_output(self, run_id: str) -> pd.DataFrame:
        self._runs.plain(run_id)
        raise InvalidRequestError(
            "Azure ML keeps what a step writes in a datastore; open the run in Azure ML studio "
            "and follow its outputs."
        )

    # --- pipeline endpoints ---

    def endpoints(self) -> tuple[PipelineEndpoint, ...]:
        return self._endpoints.list()

    def create_endpoint(
        self, name: str, pipeline_id: str, *, description: str = ""
    ) -> PipelineEndpoint:
        self._entity(pipeline_id)
        return self._endpoints.create(name, pipeline_id, description=description)

    def add_endpoint_version(
        self, endpoint_id: str, pipeline_id: str, *, make_default: bool = True
    ) -> PipelineEndpoint:
        self._entity(pipeline_id)
        return self._endpoints.add_version(endpoint_id, pipeline_id, make_default=make_default)

    def set_default_version(self, endpoint_id: str, version: str) -> PipelineEndpoint:
        return self._endpoints.set_default(endpoint_id, version)

    def enable_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.set_status(endpoint_id, AssetStatus.ACTIVE)

    def disable_endpoint(self, endpoint_id: str) -> None:
        self._endpoints.set_status(endpoint_id, AssetStatus.DISABLED)

    def rest_token(self) -> str:
        """The access token this dashboard itself uses; it ends within the hour."""
        header: Mapping[str, str] = self._connection.call(
            "REST token", lambda workspace: workspace._auth_object.get_authentication_header()
        )
        return header["Authorization"].removeprefix("Bearer ")

    # --- within ---

    def _entity(self, pipeline_id: str) -> records.Json:
        answer = self._service.get(f"Pipelines/{pipeline_id}", KIND, pipeline_id)
        return records.entity(answer, KIND)

    def _remember(self, item: Any) -> None:
        if isinstance(item, dict) and item.get("Id") and item.get("GraphId"):
            self._graph_of[str(item["Id"])] = str(item["GraphId"])

    def _ready(self, pipeline_id: str, parameters: Mapping[str, str]) -> PublishedPipeline:
        """The pipeline, which would accept this submission.

        Raises:
            ConflictError: it is disabled.
            InvalidRequestError: it has no such parameter.
        """
        pipeline = self.get(pipeline_id)
        if pipeline.status is AssetStatus.DISABLED:
            raise ConflictError(
                f"The pipeline “{pipeline.name}” is disabled; enable it to submit it again."
            )
        check_parameters(pipeline, parameters)
        return pipeline

    def _submitted(
        self,
        pipeline: PublishedPipeline,
        path: str,
        body: Mapping[str, Any],
        query: Mapping[str, str],
    ) -> PipelineRun:
        answer = self._service.post(path, body, KIND, pipeline.id, **query)
        run = self._runs.read(answer)
        after = {
            "run_id": run.id,
            "experiment": body["ExperimentName"],
            "parameters": body["ParameterAssignments"],
        }
        self._connection.journal.record("pipeline.submit", f"pipeline/{pipeline.id}", after=after)
        log.info("submitted pipeline %s as run %s", pipeline.id, run.id)
        return run

    def _set_status(self, pipeline_id: str, status: AssetStatus) -> None:
        before = self.get(pipeline_id).status
        if before is status:
            return
        # Source: azureml-pipeline-core 1.62.0, ``PublishedPipeline.disable``: a bare word.
        self._service.put(f"Pipelines/{pipeline_id}/status", status.value, KIND, pipeline_id)
        verb = "enable" if status is AssetStatus.ACTIVE else "disable"
        self._connection.journal.record(
            f"pipeline.{verb}",
            f"pipeline/{pipeline_id}",
            before={"status": before},
            after={"status": status},
        )


def check_parameters(pipeline: PublishedPipeline, given: Mapping[str, str]) -> None:
    """Refuse a parameter the pipeline does not have.

    Raises:
        InvalidRequestError: which one, and those there are.
    """
    known = [each.name for each in pipeline.parameters]
    for name in given:
        if name not in known:
            raise InvalidRequestError(
                f"The pipeline has no parameter “{name}”; it has {', '.join(known) or 'none'}."
            )


def _submission(
    experiment: str, parameters: Mapping[str, str], run_source: str
) -> Mapping[str, Any]:
    """What SDK v1 sends, without the properties it takes from the working folder's repository."""
    return {
        "ExperimentName": experiment,
        "Description": experiment,
        "RunSource": run_source,
        "RunType": RUN_TYPE,
        "ParameterAssignments": dict(parameters),
    }


def _from_code() -> NoReturn:
    raise InvalidRequestError(
        "Azure ML publishes a pipeline from code only: build it in a notebook with "
        "azureml.pipeline.core.Pipeline(workspace, steps=[…]) and call publish(name, "
        "description, version); it is listed here as soon as that returns."
    )
