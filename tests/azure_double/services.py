"""Web services: Azure's JSON in front of deployments that really serve, on this machine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.domain import Deployment, DeploymentState, KeyKind
from services.errors import ConflictError, NotFoundError
from tests.azure_double import models
from tests.azure_double.answers import error, instant, page, state
from tests.azure_double.state import ARM, REGION, State

MMS = f"/modelmanagement/v1.0{ARM}"
SCORING_DOMAIN = f"{REGION}.azurecontainer.io"


def listed(request: Request) -> Response:
    """One page; the next is a link, as this service alone writes it."""
    double = state(request)
    records = [_service(double, each) for each in double.workspace.deployments.list()]
    answer = page(request, records)
    if token := answer.pop("continuationToken", None):
        answer["nextLink"] = f"https://{request.url.hostname}{MMS}/services?$skipToken={token}"
    return JSONResponse(answer)


def one(request: Request) -> Response:
    double, name = state(request), request.path_params["name"]
    return JSONResponse(_service(double, double.workspace.deployments.get(name)))


async def create(request: Request) -> Response:
    """Accepted, and then a matter of time. What Azure would refuse, is refused."""
    wanted = await request.json()
    return await _off_loop(_create, state(request), wanted)


def _create(double: State, wanted: Mapping[str, Any]) -> Response:
    image = wanted["environmentImageRequest"]
    if problem := _image_problem(double, image):
        return error(400, "BadRequest", problem)
    needs = wanted["containerResourceRequirements"]
    double.workspace.deployments.begin_create(
        wanted["name"],
        image["modelIds"][0],
        auth=bool(wanted.get("authEnabled")),
        telemetry=bool(wanted.get("appInsightsEnabled")),
        cpu_cores=needs["cpu"] or 0.1,
        memory_gb=needs["memoryInGB"] or 0.5,
        description=wanted.get("description") or "",
    )
    with double.lock:
        double.memory.setdefault("services", {})[wanted["name"]] = {
            "computeType": wanted["computeType"],
            "kvTags": wanted.get("kvTags") or {},
            "properties": wanted.get("properties") or {},
            "environment": image["environment"],
        }
    return _accepted(double, "CreateService", wanted["name"])


def _image_problem(double: State, image: Mapping[str, Any]) -> str | None:
    """Why the image could not be built; None when everything it names is there."""
    if not image.get("modelIds"):
        return "No model to deploy."
    if image["driverProgram"] not in [each["id"] for each in image["assets"]]:
        return f"The driver program {image['driverProgram']} is not among the assets."
    for asset in image["assets"]:
        path = asset["url"].removeprefix("aml://artifact/")
        if not any(blob.endswith(path) for blob in double.blobs):
            return f"The asset {asset['url']} was not uploaded."
    if "azureml-defaults" not in str(image["environment"]["python"]["condaDependencies"]):
        return "The environment lacks azureml-defaults."
    return None


async def update(request: Request) -> Response:
    return await _off_loop(
        _update, state(request), request.path_params["name"], await request.json()
    )


def _update(double: State, name: str, patch: list[dict[str, Any]]) -> Response:
    """A JSON patch: what the engine behind can change, it changes."""
    changes = {each["path"]: each["value"] for each in patch}
    if unknown := [path for path in changes if not _patchable(path)]:
        return error(400, "BadRequest", f"The double cannot change {unknown}.")
    model_id = None
    if image := changes.get("/environmentImageRequest"):
        if problem := _image_problem(double, image):
            return error(400, "BadRequest", problem)
        model_id = image["modelIds"][0]
    double.workspace.deployments.begin_update(
        name, model_id=model_id, telemetry=changes.get("/appInsightsEnabled")
    )
    with double.lock:
        kept = double.memory.setdefault("services", {}).setdefault(name, {})
        kept.update({"kvTags": changes["/kvTags"]} if "/kvTags" in changes else {})
        added = {k.split("/", 2)[2]: v for k, v in changes.items() if k.startswith("/properties/")}
        kept["properties"] = {**kept.get("properties", {}), **added}
    return _accepted(double, "UpdateService", name)


def _patchable(path: str) -> bool:
    known = ("/environmentImageRequest", "/appInsightsEnabled", "/kvTags", "/description")
    return path in known or path.startswith("/properties/")


def delete(request: Request) -> Response:
    double, name = state(request), request.path_params["name"]
    try:
        double.workspace.deployments.get(name)
    except NotFoundError:
        return Response(status_code=204)
    double.workspace.deployments.delete(name)
    with double.lock:
        double.memory.get("services", {}).pop(name, None)
    return Response(status_code=200)


def list_keys(request: Request) -> Response:
    keys = state(request).workspace.deployments.keys(request.path_params["name"])
    return JSONResponse({"primaryKey": keys.primary, "secondaryKey": keys.secondary})


async def regenerate(request: Request) -> Response:
    wanted = await request.json()
    return await _off_loop(
        _regenerate, state(request), request.path_params["name"], KeyKind(wanted["keyType"])
    )


def _regenerate(double: State, name: str, kind: KeyKind) -> Response:
    port = double.workspace.deployments
    before = port.keys(name)
    port.begin_regenerate_key(name, kind)
    old = before.primary if kind is KeyKind.PRIMARY else before.secondary
    return _accepted(double, "RegenerateKeys", name, key=kind, old=old)


def token(request: Request) -> Response:
    """Of a service on AKS that asks for tokens; the engine behind takes its primary key."""
    keys = state(request).workspace.deployments.keys(request.path_params["name"])
    return JSONResponse(
        {
            "accessToken": keys.primary,
            "tokenType": "Bearer",
            "refreshAfter": 4102444800,
            "expiryOn": 4102444800,
        }
    )


def logs(request: Request) -> Response:
    tail = state(request).workspace.deployments.logs(
        request.path_params["name"], line_limit=int(request.query_params["tail"])
    )
    return JSONResponse({"content": tail.text})


def validate_name(request: Request) -> Response:
    names = [each.name for each in state(request).workspace.deployments.list()]
    if request.path_params["name"] in names:
        raise ConflictError(f"Service {request.path_params['name']} already exists.")
    return JSONResponse({})


def validate(request: Request) -> Response:
    return JSONResponse({})


def operation(request: Request) -> Response:
    """Looked up when asked: the deployment behind it tells how far it is."""
    double, operation_id = state(request), request.path_params["id"]
    with double.lock:
        known = double.operations.get(operation_id)
    if known is None:
        return error(404, "OperationNotFound", f"There is no operation {operation_id}.")
    word, problem = _progress(double, known)
    with double.lock:
        if word != "Running":
            known.setdefault("endTime", instant(double.workspace.clock()))
    return JSONResponse(
        {
            "id": operation_id,
            "operationType": "Service",
            "state": word,
            "createdTime": known["createdTime"],
            "endTime": known.get("endTime"),
            "error": problem,
            "operationLog": None,
        }
    )


def _progress(double: State, known: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    port = double.workspace.deployments
    try:
        if known["kind"] == "RegenerateKeys":
            keys = port.keys(known["service"])
            now = keys.primary if known["key"] is KeyKind.PRIMARY else keys.secondary
            return ("Running" if now == known["old"] else "Succeeded"), None
        deployment = port.get(known["service"])
    except NotFoundError:
        return "Cancelled", None
    if deployment.state is DeploymentState.TRANSITIONING:
        return "Running", None
    if deployment.state is DeploymentState.FAILED:
        return "Failed", _failure(deployment)
    return "Succeeded", None


def _accepted(double: State, kind: str, service: str, **more: Any) -> Response:
    operation_id = str(uuid.uuid4())
    created = instant(double.workspace.clock())
    known = {"kind": kind, "service": service, "createdTime": created, **more}
    with double.lock:
        double.operations[operation_id] = known
    location = f"https://{REGION}.api.azureml.ms{MMS}/operations/{operation_id}"
    return Response(status_code=202, headers={"Operation-Location": location})


def _service(double: State, deployment: Deployment) -> dict[str, Any]:
    """A web service as the model management service describes it."""
    with double.lock:
        kept = dict(double.memory.get("services", {}).get(deployment.name, {}))
        dressed = double.memory.get("dressed", {}).get(deployment.name, {})
    address = deployment.scoring_uri and f"http://{deployment.name}.{SCORING_DOMAIN}/score"
    service = {
        "id": deployment.name,
        "name": deployment.name,
        "description": deployment.description,
        "kvTags": kept.get("kvTags", {}),
        "properties": {"hasInferenceSchema": "True", **kept.get("properties", {})},
        "operationId": None,
        "state": deployment.state.value,
        "createdTime": instant(deployment.created_at),
        "updatedTime": instant(deployment.updated_at),
        "error": _failure(deployment) if deployment.state is DeploymentState.FAILED else None,
        "computeType": kept.get("computeType", "ACI"),
        "deploymentType": "Http",
        "imageId": None,
        "imageDigest": None,
        "createdBy": {"userName": "loopback"},
        "containerResourceRequirements": {
            "cpu": deployment.cpu_cores,
            "cpuLimit": None,
            "memoryInGB": deployment.memory_gb,
            "memoryInGBLimit": None,
            "gpu": None,
        },
        "location": REGION,
        "appInsightsEnabled": deployment.telemetry_enabled,
        "authEnabled": deployment.auth_enabled,
        "sslEnabled": False,
        "sslCertificate": None,
        "sslKey": None,
        "cname": None,
        "publicIp": None,
        "publicFqdn": f"{deployment.name}.{SCORING_DOMAIN}",
        "scoringUri": address,
        "dataCollection": {"storageEnabled": False, "eventHubEnabled": False},
        "models": _models(double, deployment.model_id),
        "environmentImageRequest": {
            "driverProgram": "main.py",
            "assets": [],
            "modelIds": [deployment.model_id],
            "environment": kept.get("environment"),
        },
        **_as_aks(dressed),
    }
    return {name: value for name, value in service.items() if name not in dressed.get("lacks", ())}


def _as_aks(dressed: Mapping[str, Any]) -> dict[str, Any]:
    """What a test has put on: another state, or the coat of a service on Kubernetes."""
    coat = {name: value for name, value in dressed.items() if name not in ("aks", "lacks")}
    if not dressed.get("aks"):
        return coat
    return {
        "computeType": "AKS",
        "computeName": "aks-loopback",
        "aadAuthEnabled": False,
        "autoScaler": {
            "autoscaleEnabled": True,
            "minReplicas": 1,
            "maxReplicas": 10,
            "refreshPeriodInSeconds": 1,
            "targetUtilization": 70,
        },
        "numReplicas": None,
        "maxConcurrentRequestsPerContainer": 1,
        "maxQueueWaitMs": 500,
        "scoringTimeoutMs": 60000,
        "livenessProbeRequirements": None,
        "isDefault": None,
        "trafficPercentile": None,
        "versionType": None,
        **coat,
    }


def _failure(deployment: Deployment) -> dict[str, Any]:
    return {
        "code": "KubernetesDeploymentFailed",
        "statusCode": 400,
        "message": "Kubernetes Deployment failed",
        "details": [{"code": "CrashLoopBackOff", "message": deployment.error}],
    }


def _models(double: State, model_id: str) -> list[dict[str, Any]]:
    try:
        return [models.payload(double, double.workspace.models.get(model_id))]
    except NotFoundError:  # deleted after it was deployed
        return []


async def _off_loop(function: Any, *args: Any) -> Response:
    from starlette.concurrency import run_in_threadpool

    answer: Response = await run_in_threadpool(function, *args)
    return answer


routes = [
    Route(f"{MMS}/services", listed, methods=["GET"]),
    Route(f"{MMS}/services", create, methods=["POST"]),
    Route(f"{MMS}/services/validate", validate, methods=["POST"]),
    Route(f"{MMS}/services/validate/resource", validate, methods=["POST"]),
    Route(f"{MMS}/services/validate/name/{{name}}", validate_name, methods=["POST"]),
    Route(f"{MMS}/services/{{name}}", one, methods=["GET"]),
    Route(f"{MMS}/services/{{name}}", update, methods=["PATCH"]),
    Route(f"{MMS}/services/{{name}}", delete, methods=["DELETE"]),
    Route(f"{MMS}/services/{{name}}/listkeys", list_keys, methods=["POST"]),
    Route(f"{MMS}/services/{{name}}/regenerateKeys", regenerate, methods=["POST"]),
    Route(f"{MMS}/services/{{name}}/token", token, methods=["POST"]),
    Route(f"{MMS}/services/{{name}}/logs", logs, methods=["GET"]),
    Route(f"{MMS}/operations/{{id}}", operation, methods=["GET"]),
]
