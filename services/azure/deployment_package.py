"""What a model is deployed with: its own scoring script and environment, handed to the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.azure import sdk
from services.azure.connection import Connection
from services.azure.model_management import ModelManagement
from services.azure.sdk_errors import translated
from services.domain import split_id
from services.errors import InvalidRequestError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from azureml.core.model import InferenceConfig

SCRIPT = "scoring_file_v_1_0_0.py"
ENVIRONMENT = "conda_env_v_1_0_0.yml"
OUTPUTS = "outputs/"
FILE_LIMIT_BYTES = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A registered model, and a folder with its script and environment."""

    model_id: str
    folder: Path


def fetch(connection: Connection, azure: ModelManagement, model_id: str, folder: Path) -> Package:
    """Put both files into `folder`: from the run that made the model, else from the model itself.

    Raises:
        InvalidRequestError: neither has them; the model was not made by AutoML.
    """
    model = azure.read(f"/models/{model_id}", kind="model", name=model_id)
    places = list(_places(azure, model))
    for name in (SCRIPT, ENVIRONMENT):
        contents = next(
            (found for place in places if (found := _file(connection, place, name)) is not None),
            None,
        )
        if contents is None:
            raise InvalidRequestError(
                f"Model {model_id} has no {name}, neither among the files of its run nor beside "
                "it: only a model that AutoML made can be deployed from here."
            )
        (folder / name).write_bytes(contents)
    return Package(model_id=model_id, folder=folder)


def deploy(
    connection: Connection, package: Package, name: str, wanted: Mapping[str, Any]
) -> str | None:
    """``Model.deploy`` to Azure Container Instances; the id of what Azure goes on doing."""
    with translated("deployment", name):
        inference = _inference(package, name)
        from azureml.core.model import Model
        from azureml.core.webservice import AciWebservice

        configuration = AciWebservice.deploy_configuration(
            cpu_cores=wanted["cpu_cores"],
            memory_gb=wanted["memory_gb"],
            auth_enabled=wanted["auth"],
            enable_app_insights=wanted["telemetry"],
            description=wanted["description"] or None,
        )
        service = Model.deploy(
            connection.workspace,
            name,
            [_model(connection, package.model_id)],
            inference_config=inference,
            deployment_config=configuration,
            overwrite=False,
            show_output=False,
        )
        return str(service._operation_endpoint).rpartition("/")[2] or None


def image_request(connection: Connection, package: Package, name: str) -> dict[str, Any]:
    """The part of a deployment that says what to serve, its files uploaded.

    Not ``Webservice.update``: it reads the service with the SDK's class, which may create
    experiments, and sends properties of its own along.
    """
    with translated("deployment", name):
        inference = _inference(package, name)
        request: dict[str, Any] = inference._build_environment_image_request(
            connection.workspace, [package.model_id]
        )
        return request


def _inference(package: Package, name: str) -> InferenceConfig:
    sdk.prepare()
    from azureml.core import Environment
    from azureml.core.model import InferenceConfig

    environment = Environment.from_conda_specification(
        f"{name}-environment", str(package.folder / ENVIRONMENT)
    )
    return InferenceConfig(entry_script=str(package.folder / SCRIPT), environment=environment)


def _model(connection: Connection, model_id: str) -> Any:
    """The SDK's model, its run left alone: looking that up may create an experiment."""
    from azureml.core.model import Model

    name, version = split_id("model", model_id)
    for model in Model.list(connection.workspace, name=name, expand=False):
        if model.version == version:
            return model
    raise NotFoundError("model", model_id)


def _places(azure: ModelManagement, model: Mapping[str, Any]) -> list[str]:
    """Where its files may be: ``origin/container/folder/``, the likeliest first."""
    places = []
    if run_id := model.get("runId"):
        places.append(f"ExperimentRun/dcid.{run_id}/{OUTPUTS}")
    url = str(model.get("url") or "")
    if url.startswith("aml://asset/"):
        asset_id = url.removeprefix("aml://asset/")
        asset = azure.read(f"/assets/{asset_id}", kind="files of the model", name=str(model["id"]))
        for artifact in asset.get("artifacts") or ():
            prefix = str(artifact.get("prefix") or artifact.get("id") or "").rstrip("/")
            if prefix:
                places += [f"{prefix}/", f"{prefix.rpartition('/')[0]}/"]
    return list(dict.fromkeys(places))


def _file(connection: Connection, place: str, name: str) -> bytes | None:
    """A file's contents, by the address the artifact service signs; None when it has none."""
    import requests

    origin, container, path = f"{place}{name}".split("/", 2)
    try:
        address = connection.call(
            "file of the model",
            lambda sdk_workspace: _address(sdk_workspace, origin, container, path),
            name=name,
        )
    except NotFoundError:
        return None
    try:
        answer = requests.get(address, timeout=connection.deadlines.limit_s, allow_redirects=False)
    except requests.RequestException as error:
        raise UnavailableError("The workspace's storage account did not answer.") from error
    if answer.status_code == 404:
        return None
    if answer.status_code != 200 or len(answer.content) > FILE_LIMIT_BYTES:
        raise UnavailableError(
            f"The workspace's storage account did not hand out {name} ({answer.status_code})."
        )
    return answer.content


def _address(sdk_workspace: Any, origin: str, container: str, path: str) -> str:
    from azureml._restclient.artifacts_client import ArtifactsClient

    return str(
        ArtifactsClient(sdk_workspace.service_context).get_artifact_uri(origin, container, path)
    )
