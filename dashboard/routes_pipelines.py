"""REST triggers: a published pipeline or a pipeline endpoint is submitted over HTTP.

The addresses, the body and the answer are Azure ML's, so a caller written for Azure
works here with another host name and the token the page shows.

Source: azureml-pipeline-core 1.62.0, ``PublishedPipeline.submit``, and Azure ML's
documentation of a published pipeline's REST endpoint.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboard import reads, session
from services.domain import PipelineRun
from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from services.ports import Pipelines

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 1_000_000
_STATUS: Mapping[type[ServiceError], int] = {
    InvalidRequestError: 400,
    AccessDeniedError: 401,
    NotFoundError: 404,
    ConflictError: 409,
    UnavailableError: 503,
}

Submit = Callable[[Pipelines, str, Mapping[str, str], str], PipelineRun]


async def submit_pipeline(request: Request) -> Response:
    """``POST …/PipelineRuns/PipelineSubmit/{id}``."""
    pipeline_id = request.path_params["id"]

    def submit(
        port: Pipelines, experiment: str, parameters: Mapping[str, str], source: str
    ) -> PipelineRun:
        return port.submit(pipeline_id, experiment, parameters=parameters, run_source=source)

    return await _answer(request, submit)


async def submit_endpoint(request: Request) -> Response:
    """``POST …/PipelineRuns/PipelineEndpointSubmit/Id/{id}``, with a version or without."""
    endpoint_id, version = request.path_params["id"], request.path_params.get("version")

    def submit(
        port: Pipelines, experiment: str, parameters: Mapping[str, str], source: str
    ) -> PipelineRun:
        return port.submit_endpoint(
            endpoint_id, experiment, version=version, parameters=parameters, run_source=source
        )

    return await _answer(request, submit)


async def _answer(request: Request, submit: Submit) -> Response:
    try:
        await run_in_threadpool(_check_ours)
        await run_in_threadpool(_authorize, request.headers.get("Authorization"))
        run = await run_in_threadpool(_submitted, await _body(request), submit)
    except ServiceError as error:
        return _refusal(error)
    log.info("REST submitted pipeline %s as run %s", run.pipeline_id, run.id)
    return JSONResponse(
        {
            "Id": run.id,
            "Status": {"StatusCode": "NotStarted"},
            "PipelineId": run.pipeline_id,
            "RunHistoryExperimentName": run.experiment,
            "RunSource": run.run_source,
            "ParameterAssignments": dict(run.parameters),
        }
    )


def _submitted(body: bytes, submit: Submit) -> PipelineRun:
    """Off the event loop: the store may have to wait for another writer.

    The next page drawn shows the run: what was read before it is forgotten.
    """
    run = submit(session.workspace().pipelines, *_read(body))
    reads.clear()
    return run


async def _body(request: Request) -> bytes:
    """The body, unless it is larger than any honest one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise InvalidRequestError(f"The body is larger than {BODY_LIMIT_BYTES:,} bytes.")
    return body


def _check_ours() -> None:
    """Only a workspace of our own is submitted to here: Azure ML has addresses itself.

    Raises:
        InvalidRequestError: the dashboard shows an Azure ML workspace.
    """
    if session.workspace().backend != "local":
        raise InvalidRequestError(
            "This dashboard shows an Azure ML workspace and submits nothing over HTTP itself: "
            "POST to the address that the published pipeline shows."
        )


def _authorize(header: str | None) -> None:
    """Compare in constant time, whatever was sent.

    Raises:
        AccessDeniedError: no bearer token, or another one.
    """
    scheme, _, sent = (header or "").partition(" ")
    token = session.workspace().pipelines.rest_token()
    right = hmac.compare_digest(sent.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not right:
        raise AccessDeniedError(
            "Send the workspace's REST token as “Authorization: Bearer …”; "
            "the Pipeline schedules page shows it."
        )


def _read(body: bytes) -> tuple[str, dict[str, str], str]:
    """Experiment, parameters and source of a submission.

    Raises:
        InvalidRequestError: the body is not what Azure ML's clients send.
    """
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise InvalidRequestError("The body is not JSON.") from error
    if not isinstance(sent, dict):
        raise InvalidRequestError("The body is a JSON object with an ExperimentName.")
    experiment = sent.get("ExperimentName")
    if not isinstance(experiment, str) or not experiment.strip():
        raise InvalidRequestError(
            "“ExperimentName” is missing; it names the experiment the run belongs to."
        )
    for unsupported in ("DataPathAssignments", "DataSetDefinitionValueAssignments"):
        if sent.get(unsupported):
            raise InvalidRequestError(
                f"“{unsupported}” is not supported here; name the dataset in ParameterAssignments."
            )
    source = sent.get("RunSource")
    return (
        experiment.strip(),
        _parameters(sent.get("ParameterAssignments")),
        source[:40] if isinstance(source, str) and source else "REST",
    )


def _parameters(sent: Any) -> dict[str, str]:
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise InvalidRequestError("“ParameterAssignments” is an object of names and values.")
    parameters = {}
    for name, value in sent.items():
        if isinstance(value, bool):
            parameters[name] = str(value).lower()
        elif isinstance(value, str | int | float):
            parameters[name] = str(value)
        else:
            raise InvalidRequestError(f"The parameter “{name}” is text or a number.")
    return parameters


def _refusal(error: ServiceError) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    code = type(error).__name__.removesuffix("Error")
    return JSONResponse(
        {"error": {"code": code, "message": str(error)}}, status_code=status, headers=headers
    )


_RUNS = "/pipelines/v1.0/{workspace:path}/PipelineRuns"

routes = [
    Route(f"{_RUNS}/PipelineSubmit/{{id}}", submit_pipeline, methods=["POST"]),
    Route(f"{_RUNS}/PipelineEndpointSubmit/Id/{{id}}", submit_endpoint, methods=["POST"]),
    Route(
        f"{_RUNS}/PipelineEndpointSubmit/Id/{{id}}/{{version}}", submit_endpoint, methods=["POST"]
    ),
]
