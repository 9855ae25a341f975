"""The pipelines service: published pipelines, their runs, endpoints; the engine runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.domain import AssetStatus, PipelineEndpoint, PipelineRun
from services.errors import NotFoundError
from tests.azure_double import pipeline_entities as entities
from tests.azure_double.answers import error, state, with_json
from tests.azure_double.pipeline_entities import BASE
from tests.azure_double.state import State

MANY = 10_000
ENGINES_OWN = {
    "Id",
    "Name",
    "DefaultVersion",
    "PipelineVersionList",
    "Url",
    "SwaggerUrl",
    "EntityStatus",
}


# --- published pipelines ----------------------------------------------------------


def pipelines(request: Request) -> Response:
    double = state(request)
    found = [
        entities.pipeline(double, each)
        for each in double.workspace.pipelines.list()
        if _wanted(request, each.status)
    ]
    return JSONResponse([*found, *double.memory.get("pipelines.more", [])])


def pipeline(request: Request) -> Response:
    double = state(request)
    found = double.workspace.pipelines.get(request.path_params["id"])
    return JSONResponse(entities.pipeline(double, found))


def set_pipeline_status(request: Request, word: Any) -> Response:
    port, pipeline_id = state(request).workspace.pipelines, request.path_params["id"]
    active = entities.status_of(word) is AssetStatus.ACTIVE
    (port.enable if active else port.disable)(pipeline_id)
    return Response(status_code=200)


def submit(request: Request, sent: Any) -> Response:
    if (refused := _without_token(request)) is not None:
        return refused
    double = state(request)
    run = double.workspace.pipelines.submit(
        request.path_params["id"],
        sent["ExperimentName"],
        parameters=sent.get("ParameterAssignments") or {},
        run_source=sent.get("RunSource") or "Unavailable",
    )
    return JSONResponse(entities.run(double, run))


def _without_token(request: Request) -> Response | None:
    """Anybody may call these two addresses over HTTP, with a token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer" and token.count(".") == 2:
        return None
    return error(401, "Unauthorized", "An access token is missing or is none of ours.")


def data_types(request: Request) -> Response:
    """All those the SDK would otherwise create while somebody only looks."""
    return JSONResponse(
        [
            {"Id": each, "Name": each, "Description": each, "IsDirectory": each == "AnyDirectory"}
            for each in entities.DATA_TYPES
        ]
    )


def graph(request: Request) -> Response:
    return _of_graph(request, entities.graph)


def graph_interface(request: Request) -> Response:
    return _of_graph(request, entities.graph_interface)


def _of_graph(request: Request, made: Callable[[Any], dict[str, Any]]) -> Response:
    wanted = request.path_params["id"]
    for kind in entities.KINDS:
        if entities.graph_id(kind) == wanted:
            extras = state(request).memory.get(entities.EXTRAS, {}).get(wanted, {})
            return JSONResponse(made(kind) | extras)
    return error(404, "NotFound", f"There is no graph {wanted}.")


def module(request: Request) -> Response:
    found = entities.module(request.path_params["id"])
    return JSONResponse(found) if found else error(404, "NotFound", "There is no such module.")


def data_source(request: Request) -> Response:
    """Files on a datastore, which older graphs name as their data."""
    return JSONResponse({"Id": request.path_params["id"], "Name": "rows on a datastore"})


# --- runs -------------------------------------------------------------------------


def runs_of_pipeline(request: Request) -> Response:
    double, wanted = state(request), request.path_params["id"]
    double.workspace.pipelines.get(wanted)
    found = double.workspace.pipelines.runs(pipeline_id=wanted, limit=MANY)
    return JSONResponse([entities.run(double, each) for each in found])


def run(request: Request) -> Response:
    return JSONResponse(entities.run(state(request), _run(request)))


def cancel(request: Request) -> Response:
    state(request).workspace.pipelines.cancel(request.path_params["run"])
    return Response(status_code=200)


def task_states(request: Request, _: Any) -> Response:
    return JSONResponse(_tasks(request))


def task_codes(request: Request, _: Any) -> Response:
    return JSONResponse({node: each["StatusCode"] for node, each in _tasks(request).items()})


def task_state(request: Request, path: Any) -> Response:
    found = _tasks(request).get(path[0])
    return JSONResponse(found) if found else error(404, "NotFound", f"No node {path[0]}.")


def task_code(request: Request, path: Any) -> Response:
    found = _tasks(request).get(path[0])
    return JSONResponse(found["StatusCode"]) if found else error(404, "NotFound", "No such node.")


def printed(request: Request, path: Any) -> Response:
    tail = state(request).workspace.pipelines.logs(_run(request).id, path[0], line_limit=MANY)
    return PlainTextResponse(tail.text)


def nothing_printed(request: Request, _: Any) -> Response:
    _run(request)
    return PlainTextResponse("")


def _run(request: Request) -> PipelineRun:
    return state(request).workspace.pipelines.run(request.path_params["run"])


def _tasks(request: Request) -> dict[str, dict[str, Any]]:
    found = _run(request)
    steps = state(request).workspace.pipelines.steps(found.id)
    return {step.node_id: entities.task(found, step) for step in steps}


# --- pipeline endpoints -----------------------------------------------------------


def endpoints(request: Request) -> Response:
    double = state(request)
    found = [
        entities.endpoint(double, each)
        for each in double.workspace.pipelines.endpoints()
        if _wanted(request, each.status)
    ]
    more = double.memory.get("pipeline_endpoints.more", [])
    at_most = int(request.headers.get("BatchSize", 20))
    return JSONResponse([*found, *more][:at_most])


def endpoint(request: Request) -> Response:
    return _endpoint_answer(request, request.path_params["id"])


def endpoint_by_name(request: Request) -> Response:
    name = request.query_params["Name"]
    for each in state(request).workspace.pipelines.endpoints():
        if each.name == name:
            return _endpoint_answer(request, each.id)
    return error(404, "NotFound", f"There is no pipeline endpoint {name}.")


def create_endpoint(request: Request, sent: Any) -> Response:
    created = state(request).workspace.pipelines.create_endpoint(
        sent["Name"], sent["PipelineId"], description=sent.get("Description") or ""
    )
    return _endpoint_answer(request, created.id)


def change_endpoint(request: Request, sent: Any) -> Response:
    """A whole entity, of which the engine keeps what it knows and the memory the rest."""
    double, wanted = state(request), request.path_params["id"]
    port, before = double.workspace.pipelines, _endpoint(double, wanted)
    for version in sent["PipelineVersionList"]:
        if version["Version"] not in before.versions:
            port.add_endpoint_version(wanted, version["PipelineId"], make_default=False)
    if sent["DefaultVersion"] != before.default_version:
        port.set_default_version(wanted, sent["DefaultVersion"])
    active = entities.status_of(sent["EntityStatus"]) is AssetStatus.ACTIVE
    (port.enable_endpoint if active else port.disable_endpoint)(wanted)
    entities.keep_extras(double, wanted, sent, ENGINES_OWN)
    return _endpoint_answer(request, wanted)


def pipelines_of_endpoint(request: Request) -> Response:
    double = state(request)
    versions = _endpoint(double, request.path_params["id"]).versions.values()
    found = [double.workspace.pipelines.get(each) for each in versions]
    return JSONResponse(
        [entities.pipeline(double, each) for each in found if _wanted(request, each.status)]
    )


def submit_endpoint(request: Request, sent: Any) -> Response:
    if (refused := _without_token(request)) is not None:
        return refused
    double = state(request)
    started = double.workspace.pipelines.submit_endpoint(
        request.path_params["id"],
        sent["ExperimentName"],
        version=request.path_params.get("version"),
        parameters=sent.get("ParameterAssignments") or {},
        run_source=sent.get("RunSource") or "Unavailable",
    )
    return JSONResponse(entities.run(double, started))


def _endpoint(double: State, wanted: str) -> PipelineEndpoint:
    for each in double.workspace.pipelines.endpoints():
        if each.id == wanted:
            return each
    raise NotFoundError("pipeline endpoint", wanted)


def _endpoint_answer(request: Request, wanted: str) -> Response:
    double = state(request)
    return JSONResponse(entities.endpoint(double, _endpoint(double, wanted)))


def _wanted(request: Request, status: AssetStatus) -> bool:
    active_only = request.query_params.get("activeOnly", "true").lower() == "true"
    return status is AssetStatus.ACTIVE or not active_only


RUN = f"{BASE}/PipelineRuns/{{run}}"
NODES = f"{RUN}/Graph"


def _post(path: str, function: Callable[[Request, Any], Response]) -> Route:
    return Route(path, with_json(function), methods=["POST"])


routes = [
    Route(f"{BASE}/DataTypes", data_types),
    Route(f"{BASE}/Pipelines", pipelines),
    Route(f"{BASE}/Pipelines/{{id}}", pipeline),
    Route(f"{BASE}/Pipelines/{{id}}/status", with_json(set_pipeline_status), methods=["PUT"]),
    Route(f"{BASE}/Graphs/{{id}}", graph),
    Route(f"{BASE}/Graphs/{{id}}/Interface", graph_interface),
    Route(f"{BASE}/Modules/{{id}}", module),
    Route(f"{BASE}/DataSources/{{id}}", data_source),
    _post(f"{BASE}/PipelineRuns/PipelineSubmit/{{id}}", submit),
    _post(f"{BASE}/PipelineRuns/PipelineEndpointSubmit/Id/{{id}}", submit_endpoint),
    _post(f"{BASE}/PipelineRuns/PipelineEndpointSubmit/Id/{{id}}/{{version}}", submit_endpoint),
    Route(f"{BASE}/PipelineRuns/Pipeline/{{id}}", runs_of_pipeline),
    Route(RUN, run),
    Route(f"{RUN}/Execution", cancel, methods=["DELETE"]),
    _post(f"{NODES}/AllNodes/Status", task_states),
    _post(f"{NODES}/AllNodes/StatusCode", task_codes),
    _post(f"{NODES}/Node/Status", task_state),
    _post(f"{NODES}/Node/StatusCode", task_code),
    _post(f"{NODES}/Shareable/STDOUT", printed),
    _post(f"{NODES}/Shareable/STDERR", nothing_printed),
    _post(f"{NODES}/Shareable/JobLog", nothing_printed),
    Route(f"{BASE}/PipelineEndpoints", endpoints),
    _post(f"{BASE}/PipelineEndpoints/Create", create_endpoint),
    Route(f"{BASE}/PipelineEndpoints/Name", endpoint_by_name),
    Route(f"{BASE}/PipelineEndpoints/Id/{{id}}", endpoint),
    Route(f"{BASE}/PipelineEndpoints/{{id}}", with_json(change_endpoint), methods=["PUT"]),
    Route(f"{BASE}/PipelineEndpoints/{{id}}/pipelines", pipelines_of_endpoint),
]
