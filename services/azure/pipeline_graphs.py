"""The graph behind a published pipeline: its modules and datasets, and what flows between."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from services.azure.pipeline_records import Json
from services.azure.pipelines_service import PipelinesService, RefusedError
from services.domain import GraphNode, PipelineGraph

KIND = "graph of the pipeline"
AUTOML = "automl_module"  # the kind of a node whose step run is an AutoML parent

_KINDS = {"AutoMLStep": AUTOML, "PythonScriptStep": "script", "ParallelRunStep": "score"}


class PipelineGraphs:
    """A graph never changes, so each is asked for once.

    One request and one per step: the graph names modules, only a module has a name.
    """

    def __init__(self, service: PipelinesService) -> None:
        self._service = service
        self._asked_for: dict[str, Future[PipelineGraph]] = {}
        self._lock = threading.Lock()

    def get(self, graph_id: str) -> PipelineGraph:
        """The graph, its nodes in the order in which they can run.

        Whoever asks while it is being asked for waits for that answer. A failure is not kept.
        """
        with self._lock:
            answer = self._asked_for.get(graph_id)
            if answer is None:
                first = self._asked_for[graph_id] = Future()
        if answer is not None:
            return answer.result()
        try:
            first.set_result(self._asked(graph_id))
        except BaseException as error:  # whatever it is, nobody may wait for ever
            with self._lock:
                del self._asked_for[graph_id]
            first.set_exception(error)
            raise
        return first.result()

    def _asked(self, graph_id: str) -> PipelineGraph:
        entity: Json = self._service.get(f"Graphs/{graph_id}", KIND) or {}
        modules = [each for each in entity.get("ModuleNodes") or () if each.get("Id")]
        datasets = [each for each in entity.get("DatasetNodes") or () if each.get("Id")]
        wanted = [partial(self._module, each) for each in modules]
        wanted += [partial(self._dataset, each) for each in datasets]
        nodes = self._service.all(KIND, "", wanted)
        known = {node.id for node in nodes}
        edges = tuple(
            dict.fromkeys(
                edge
                for edge in map(_edge, entity.get("Edges") or ())
                if edge[0] in known and edge[1] in known
            )
        )
        return PipelineGraph(nodes=tuple(in_order(nodes, edges)), edges=edges)

    def _module(self, node: Json) -> GraphNode:
        data = self._described(f"Modules/{node.get('ModuleId')}").get("Data") or {}
        step = str(data.get("StepType") or "")
        return GraphNode(
            id=node["Id"],
            name=str(data.get("Name") or node.get("Comment") or node["Id"]),
            kind=_KINDS.get(step, step.removesuffix("Step").lower() or "script"),
        )

    def _dataset(self, node: Json) -> GraphNode:
        definition: Json = node.get("DataSetDefinition") or {}
        value: Json = definition.get("Value") or {}
        registered: Json = value.get("DataSetReference") or {}
        name = (
            definition.get("ParameterName")
            or node.get("DataPathParameterName")
            or registered.get("Name")
        )
        if not name and node.get("DatasetId"):
            name = self._described(f"DataSources/{node['DatasetId']}").get("Name")
        return GraphNode(id=node["Id"], name=str(name or "Dataset"), kind="dataset")

    def _described(self, path: str) -> Mapping[str, Any]:
        try:
            return self._service.send("GET", path) or {}
        except RefusedError as error:
            if error.status_code == 404:  # deleted since; the graph still holds its node
                return {}
            raise


def in_order(nodes: Sequence[GraphNode], edges: Iterable[tuple[str, str]]) -> Iterable[GraphNode]:
    """Every node after those it depends on, otherwise as given; a circle as given."""
    before: dict[str, set[str]] = {node.id: set() for node in nodes}
    for start, end in edges:
        before[end].add(start)
    left = list(nodes)
    while left:
        node = next((each for each in left if not before[each.id]), left[0])
        left.remove(node)
        for waiting in before.values():
            waiting.discard(node.id)
        yield node


def _edge(edge: Json) -> tuple[str, str]:
    source: Json = edge.get("SourceOutputPort") or {}
    target: Json = edge.get("DestinationInputPort") or {}
    return str(source.get("NodeId") or ""), str(target.get("NodeId") or "")
