"""Run history: experiments, runs, children, details, cancellation. The engine's runs behind it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.local.clock import utc_now
from services.local.run_journal import RunJournal
from services.local.store import stamp
from tests.azure_double import blobs, odata
from tests.azure_double.answers import error, instant, state, with_json
from tests.azure_double.run_artifacts import paths
from tests.azure_double.run_records import everything, experiment_id
from tests.azure_double.state import ARM, State

BASE = f"/history/v1.0{ARM}"
JASMINE = f"/jasmine/v1.0{ARM}/experimentids/{{experiment_id}}/cancel/{{run}}"
CANCEL_EVENTS = ("Run.Canceled", "Run.CancelRequested")


def query_experiments(request: Request, asked: Any) -> Response:
    found = [
        each for each in experiments(state(request)) if odata.matches(each, asked.get("filter"))
    ]
    return JSONResponse(_page(request, found, asked))


def query_runs(request: Request, asked: Any) -> Response:
    double, name = state(request), request.path_params["experiment"]
    if name not in [each["name"] for each in experiments(double)]:
        return _no_experiment(name)
    found = [each for each in everything(double, name) if odata.matches(each, asked.get("filter"))]
    return JSONResponse(_page(request, _ordered(found, asked.get("orderby")), asked))


def one_experiment(request: Request) -> Response:
    wanted = request.path_params["experiment"]
    for each in experiments(state(request)):
        if wanted in (each["name"], each["experimentId"]):
            return JSONResponse(each)
    return _no_experiment(wanted)


def create_experiment(request: Request) -> Response:
    """What `Experiment(workspace, name)` does with a name it does not find."""
    double, name = state(request), request.path_params["experiment"]
    with double.workspace.store.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO experiments (name, created_at) VALUES (?, ?)",
            (name, stamp(utc_now())),
        )
    return one_experiment(request)


def one_run(request: Request) -> Response:
    found = _run(request)
    return JSONResponse(found) if found else _no_run(request)


def children(request: Request) -> Response:
    parent = _run(request)
    if parent is None:
        return _no_run(request)
    found = [each for each in everything(state(request)) if each["parentRunId"] == parent["runId"]]
    asked = {
        "top": int(request.query_params.get("$top") or 0),
        "continuationToken": request.query_params.get("$continuationToken"),
    }
    ordered = _ordered(found, request.query_params.get("$orderby"))
    return JSONResponse(_page(request, ordered, asked))


def details(request: Request) -> Response:
    """A run as people look at it: its logs come with addresses to read them at."""
    run = _run(request)
    if run is None:
        return _no_run(request)
    logs = [path for path in paths(state(request), run["runId"]) if path.startswith("logs/")]
    return JSONResponse(
        {
            "runId": run["runId"],
            "target": run["target"],
            "status": run["status"],
            "startTimeUtc": run["startTimeUtc"],
            "endTimeUtc": run["endTimeUtc"],
            "error": run["error"],
            "warnings": None,
            "properties": run["properties"],
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": None,
            "logFiles": {
                path: blobs.address(f"ExperimentRun/{run['dataContainerId']}/{path}")
                for path in logs
            },
        }
    )


def change(request: Request, wanted: Any) -> Response:
    """Tags and properties, added to those it has."""
    run = _run(request)
    if run is None:
        return _no_run(request)
    local = state(request).workspace
    RunJournal(local.home, local.store).describe(
        run["runId"], properties=wanted.get("properties"), tags=wanted.get("tags")
    )
    return JSONResponse(_run(request))


def event(request: Request, message: Any) -> Response:
    if message["name"].endswith(CANCEL_EVENTS):
        return cancel(request)
    return error(400, "UserError", f"The double does not know the event {message['name']}.")


def cancel(request: Request) -> Response:
    run = _run(request)
    if run is None:
        return _no_run(request)
    local = state(request).workspace
    if run["runType"] == "azureml.PipelineRun":
        local.pipelines.cancel(run["runId"])
    else:
        local.runs.cancel(run["runId"])
    return Response(status_code=200)


def ingested(request: Request) -> Response:
    """Metrics have arrived; asked for after a run was canceled."""
    return Response(status_code=200)


def experiments(double: State) -> list[dict[str, Any]]:
    """Those with AutoML runs and those only pipelines run in, newest first."""
    created = {each.name: each.created_at for each in double.workspace.runs.experiments()}
    for run in double.workspace.pipelines.runs(limit=10_000):
        created[run.experiment] = min(run.created_at, created.get(run.experiment, run.created_at))
    newest_first = sorted(created.items(), key=lambda item: item[1], reverse=True)
    return [
        {
            "experimentId": experiment_id(name),
            "name": name,
            "description": None,
            "createdUtc": instant(at),
            "tags": {},
            "archivedTime": None,
            "retainForLifetimeOfWorkspace": False,
        }
        for name, at in newest_first
    ]


def _run(request: Request) -> dict[str, Any] | None:
    wanted = request.path_params["run"]
    return next((each for each in everything(state(request)) if each["runId"] == wanted), None)


def _ordered(found: list[dict[str, Any]], order: str | None) -> list[dict[str, Any]]:
    name, _, direction = (order or "StartTimeUtc desc").partition(" ")
    key = name[0].lower() + name[1:]
    return sorted(found, key=lambda each: each.get(key) or "", reverse=direction == "desc")


def _page(request: Request, items: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    start = int(asked.get("continuationToken") or 0)
    end = start + min(state(request).page_size, asked.get("top") or 500)
    return {
        "value": items[start:end],
        "continuationToken": str(end) if end < len(items) else None,
        "nextLink": None,
    }


def _no_experiment(name: str) -> Response:
    return error(404, "UserError", f"Experiment {name} not found.")


def _no_run(request: Request) -> Response:
    return error(404, "UserError", f"Run {request.path_params['run']} was not found.")


NAMED, BY_ID = f"{BASE}/experiments/{{experiment}}", f"{BASE}/experimentids/{{experiment}}"
routes = [
    Route(f"{BASE}/experiments:query", with_json(query_experiments), methods=["POST"]),
    Route(f"{NAMED}/runs:query", with_json(query_runs), methods=["POST"]),
    Route(NAMED, one_experiment),
    Route(NAMED, create_experiment, methods=["POST"]),
    Route(BY_ID, one_experiment),
    Route(f"{BASE}/runs/{{run}}", one_run),
    *(Route(f"{at}/runs/{{run}}", one_run) for at in (NAMED, BY_ID)),
    *(Route(f"{at}/runs/{{run}}", with_json(change), methods=["PATCH"]) for at in (NAMED, BY_ID)),
    *(Route(f"{at}/runs/{{run}}/children", children) for at in (NAMED, BY_ID)),
    *(Route(f"{at}/runs/{{run}}/details", details) for at in (NAMED, BY_ID)),
    *(
        Route(f"{at}/runs/{{run}}/events", with_json(event), methods=["POST"])
        for at in (NAMED, BY_ID)
    ),
    Route(f"{NAMED}/runs/{{run}}/metricsingest/wait", ingested),
    Route(JASMINE, cancel, methods=["POST"]),
]
