"""What a model is deployed with: its own scoring script and environment, handed to the SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.azure import rest, sdk
from services.azure.connection import Connection
from services.azure.model_management import ModelManagement
from services.azure.run_files import RunFiles
from services.azure.run_history import scope
from services.azure.sdk_errors import translated
from services.domain import split_id
from services.errors import InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace
    from azureml.core.model import InferenceConfig

SCRIPT = "scoring_file_v_1_0_0.py"
ENVIRONMENT = "conda_env_v_1_0_0.yml"
OUTPUTS = "outputs/"
ASSET = "aml://asset/"


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
    readers = _readers(connection, azure, model)
    for name in (SCRIPT, ENVIRONMENT):
        contents = _found(readers, name)
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


def _readers(
    connection: Connection, azure: ModelManagement, model: Mapping[str, Any]
) -> list[Callable[[str], bytes]]:
    """Ways to a file of the model by its name, the likeliest first."""
    files = RunFiles(connection)
    readers: list[Callable[[str], bytes]] = []
    if run_id := model.get("runId"):
        readers.append(lambda name: files.read(run_id, f"{OUTPUTS}{name}"))
    url = str(model.get("url") or "")
    if url.startswith(ASSET):
        path = f"/assets/{url.removeprefix(ASSET)}"
        asset = azure.read(path, kind="files of the model", name=str(model["id"]))
        for artifact in asset.get("artifacts") or ():
            place = str(artifact.get("prefix") or artifact.get("id") or "").rstrip("/")
            folders = (place, place.rpartition("/")[0])
            readers += [
                partial(_uploaded, connection, files, folder) for folder in folders if "/" in folder
            ]
    return readers


def _found(readers: Sequence[Callable[[str], bytes]], name: str) -> bytes | None:
    for read in readers:
        try:
            return read(name)
        except NotFoundError:
            continue
    return None


def _uploaded(connection: Connection, files: RunFiles, folder: str, name: str) -> bytes:
    """A file of a folder that somebody registered; ``origin/container/path``.

    Not the SDK's ``get_artifact_uri``: of a missing file it lists all that are there.
    """
    origin, container, path = f"{folder}/{name}".split("/", 2)

    def asked(workspace: SdkWorkspace) -> str:
        client = rest.patient(workspace.service_context._get_artifacts_restclient())
        where = rest.path_of(
            client.artifact.get_content_information,
            **scope(workspace),
            origin=origin,
            container=container,
            path=path,
        )
        return str(rest.get(client, where)["contentUri"])

    kind = "file of the model"
    return files.fetch(connection.call(kind, asked, name=name), kind=kind, name=name)
