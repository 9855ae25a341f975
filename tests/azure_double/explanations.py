"""Model explanations as assets of runs; their contents are artifacts of the run."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.domain import Explanation
from services.errors import NotFoundError
from tests.azure_double.answers import instant, state
from tests.azure_double.run_artifacts import EXPLANATION, KINDS, container_of, explanation_id
from tests.azure_double.state import ARM, State

TYPE = "azureml.v8.model.explanation"
NAME = "explanation_asset"


def listed(request: Request) -> Response:
    """Of one run, as the SDK asks; what filters it sends are obeyed."""
    asked = request.query_params
    wanted = asked.get("type") in (None, TYPE) and asked.get("name") in (None, NAME)
    run_id = asked.get("runId")
    return JSONResponse({"value": _assets(state(request), run_id) if run_id and wanted else []})


def _assets(double: State, run_id: str) -> list[dict[str, Any]]:
    engine = double.workspace.runs
    try:
        if EXPLANATION not in engine.files(run_id):
            return []
    except NotFoundError:
        return []
    found, uploaded = engine.explanation(run_id), instant(engine.get(run_id).ended_at)
    return [_asset(run_id, kind, found, uploaded) for kind in KINDS]


def _asset(
    run_id: str, kind: str, explanation: Explanation, uploaded: str | None
) -> dict[str, Any]:
    identity = explanation_id(run_id, kind)
    folder = f"explanation/{identity[:8]}"
    artifact = f"ExperimentRun/{container_of(run_id)}/{folder}"
    return {
        "id": identity,
        "name": NAME,
        "type": TYPE,
        "description": None,
        "artifacts": [{"prefix": artifact}],
        "kvTags": {},
        "runid": run_id,
        "createdTime": uploaded,
        "meta": {},
        "properties": {
            "explanation_id": identity,
            "metadata_artifact_path": f"{artifact}/rich_metadata.interpret.json",
            "num_features": str(len(getattr(explanation, kind))),
            "global": "True",
            "local": "False",
            "is_raw": str(kind == "raw"),
            "method": explanation.method,
            "model_task": "classification",
            "upload_time": uploaded,
            "version": "8",
        },
    }


routes = [Route(f"/modelmanagement/v1.0{ARM}/assets", listed)]
