"""Pipeline runs and their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from services.azure import pipeline_records as records
from services.azure.connection import Connection
from services.azure.pipeline_graphs import AUTOML, PipelineGraphs
from services.azure.pipeline_records import Json
from services.azure.pipelines_service import PipelinesService, RefusedError
from services.domain import GraphNode, LogTail, PipelineGraph, PipelineRun, StepRun
from services.errors import NotFoundError

KIND = "pipeline run"


class PipelineRuns:
    """Which graph a run has never changes, so it is asked for once; all else each time."""

    def __init__(
        self, connection: Connection, service: PipelinesService, graphs: PipelineGraphs
    ) -> None:
        self._connection = connection
        self._service = service
        self._graphs = graphs
        self._graph_of: dict[str, str] = {}  # run id → graph id

    def of(self, pipeline_id: str) -> list[PipelineRun]:
        path = f"PipelineRuns/Pipeline/{pipeline_id}"
        return self._listed(self._service.get(path, "published pipeline", pipeline_id))

    def of_all(self, pipeline_ids: Sequence[str]) -> list[PipelineRun]:
        """One request each, side by side; a pipeline that is gone meanwhile has none."""
        answers = self._service.all(KIND, "", [partial(self._runs, each) for each in pipeline_ids])
        return [run for answer in answers for run in self._listed(answer)]

    def _runs(self, pipeline_id: str) -> Any:
        try:
            return self._service.send("GET", f"PipelineRuns/Pipeline/{pipeline_id}")
        except RefusedError as error:
            if error.status_code == 404:
                return []
            raise

    def of_schedule(self, schedule_id: str) -> list[PipelineRun]:
        return self._listed(
            self._service.get(f"PipelineRuns/Schedule/{schedule_id}", "schedule", schedule_id)
        )

    def get(self, run_id: str) -> PipelineRun:
        """Two requests for one with AutoML in it, whose run id only the step knows."""
        run = self.plain(run_id)
        graph = self._graph(run_id)
        search = next((node for node in graph.nodes if node.kind == AUTOML), None)
        if search is None or run.started_at is None:
            return run
        statuses = self._service.call(KIND, run_id, partial(self._statuses, run_id))
        return replace(run, training_run_id=(statuses.get(search.id) or {}).get("RunId") or None)

    def plain(self, run_id: str) -> PipelineRun:
        """Of one request: without the training run it started."""
        return self.read(self._service.get(f"PipelineRuns/{run_id}", KIND, run_id))

    def read(self, answer: Any) -> PipelineRun:
        """The run in an answer that holds one.

        Raises:
            UnavailableError: it cannot be read.
        """
        self._remember(answer)
        return records.one(answer, KIND, records.run)

    def steps(self, run_id: str) -> tuple[StepRun, ...]:
        graph = self._graph(run_id)
        statuses = self._service.call(KIND, run_id, partial(self._statuses, run_id))
        return _steps(run_id, graph, statuses)

    def steps_of(self, run_ids: Sequence[str]) -> Mapping[str, tuple[StepRun, ...]]:
        asked = self._service.all(KIND, "", [partial(self._states, each) for each in run_ids])
        graphs = {each: self._graphs.get(each) for each in {each for each, _ in asked} if each}
        return {
            run_id: _steps(run_id, graphs[graph_id], statuses) if graph_id else ()
            for run_id, (graph_id, statuses) in zip(run_ids, asked, strict=True)
        }

    def logs(self, run_id: str, node_id: str | None, *, line_limit: int) -> LogTail:
        """Of a step, what it printed; of the whole run, that of each step that has begun."""
        if node_id is not None:
            return self._step_log(run_id, node_id, line_limit)
        begun = [step for step in self.steps(run_id) if step.started_at]
        wanted = [partial(self._printed, run_id, step.node_id) for step in begun]
        texts = [
            f"— {step.name}: {step.status} —\n{printed or self._kept(run_id, step, line_limit)}"
            for step, printed in zip(begun, self._service.all("log", run_id, wanted), strict=True)
        ]
        return _tail("\n".join(texts), line_limit)

    def _step_log(self, run_id: str, node_id: str, line_limit: int) -> LogTail:
        printed = partial(self._printed, run_id, node_id)
        known = node_id in [node.id for node in self._graph(run_id).nodes]
        text = self._service.call("log", run_id, printed) if known else ""
        if not text:
            step = next((each for each in self.steps(run_id) if each.node_id == node_id), None)
            if step is None:
                raise NotFoundError(f"step of the run {run_id}", node_id)
            text = self._kept(run_id, step, line_limit)
        return _tail(text, line_limit)

    def cancel(self, run_id: str) -> None:
        if self.plain(run_id).status.settled:
            return
        self._service.delete(f"PipelineRuns/{run_id}/Execution", KIND, run_id)
        self._connection.journal.record("pipeline.cancel", f"pipeline run/{run_id}")

    # --- within ---

    def _listed(self, answer: Any) -> list[PipelineRun]:
        for item in answer if isinstance(answer, list) else ():
            self._remember(item)
        return records.each(answer, records.run, records.unreadable_run)

    def _remember(self, item: Any) -> None:
        if isinstance(item, dict) and item.get("Id") and item.get("GraphId"):
            self._graph_of[item["Id"]] = item["GraphId"]

    def _graph(self, run_id: str) -> PipelineGraph:
        if run_id not in self._graph_of:
            self.plain(run_id)
        if run_id not in self._graph_of:
            return PipelineGraph(nodes=(), edges=())
        return self._graphs.get(self._graph_of[run_id])

    def _states(self, run_id: str) -> tuple[str, Mapping[str, Json]]:
        """Graph id and step states; neither of a run that does not exist."""
        try:
            if run_id not in self._graph_of:
                self._remember(self._service.send("GET", f"PipelineRuns/{run_id}"))
            return self._graph_of.get(run_id, ""), self._statuses(run_id)
        except RefusedError as error:
            if error.status_code == 404:
                return "", {}
            raise

    def _statuses(self, run_id: str) -> Mapping[str, Json]:
        """Node id → ``TaskStatus``, of every node at once."""
        path = f"PipelineRuns/{run_id}/Graph/AllNodes/Status"
        answer = self._service.send("POST", path, body=[])
        return answer if isinstance(answer, dict) else {}

    def _printed(self, run_id: str, node_id: str) -> str:
        """Standard output, then standard error where there is any."""
        texts = []
        for stream in ("STDOUT", "STDERR"):
            try:
                path = f"PipelineRuns/{run_id}/Graph/Shareable/{stream}"
                texts.append(self._service.text(path, [node_id]))
            except RefusedError as error:
                if error.status_code not in (400, 404):  # kept elsewhere, or nothing written
                    raise
        return "\n".join(filter(None, texts))

    def _kept(self, run_id: str, step: StepRun, line_limit: int) -> str:
        """The log run history keeps of a step; newer computes write there only."""
        if step.id.startswith(f"{run_id}/"):
            return ""  # no run of its own yet
        from services.azure.runs import AzureRuns

        try:
            return AzureRuns(self._connection).logs(step.id, line_limit=line_limit).text
        except NotFoundError:
            return ""


def _steps(run_id: str, graph: PipelineGraph, statuses: Mapping[str, Json]) -> tuple[StepRun, ...]:
    """In the graph's order; nodes it does not know come last. Datasets are data, not steps."""
    nodes = [node for node in graph.nodes if node.kind != "dataset" or node.id in statuses]
    known = {node.id for node in nodes}
    extra = [GraphNode(id=each, name=each, kind="") for each in statuses if each not in known]
    return tuple(
        records.step(run_id, node.id, node.name, statuses.get(node.id) or {})
        for node in [*nodes, *extra]
    )


def _tail(text: str, line_limit: int) -> LogTail:
    lines = text.splitlines()
    shown = lines[-line_limit:]
    return LogTail(
        text="\n".join(shown),
        line_count=len(shown),
        limit=line_limit,
        complete=len(shown) == len(lines),
    )
