"""Registered models of an Azure ML workspace."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from services import data_contract
from services.azure import model_records, rest, scoring_sample
from services.azure.connection import Connection
from services.domain import (
    DataContract,
    Model,
    Run,
    RunKind,
    RunStatus,
    check_asset_name,
    split_id,
)
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from services.ports import Models

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

    from services.azure.datasets import AzureDatasets
    from services.azure.runs import AzureRuns

log = logging.getLogger(__name__)

PAGE_SIZE = "255"  # the most the service answers at once
MODEL_FILE = "outputs/model.pkl"  # where AutoML leaves it
CONTRACT_FILE = "outputs/contract.json"
SCRIPT = "outputs/scoring_file_v_1_0_0.py"
MIME_TYPE = "application/json"  # of the pointer, as the SDK registers it


class AzureModels(Models):
    """Lists cost one request, and none of them asks for the run or experiment behind a model.

    ``Model.list`` expands by default, which asks twice per model and creates an
    experiment again that somebody deleted.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[Model, ...]:
        def ask(workspace: SdkWorkspace) -> list[Any]:
            client = _client(workspace)
            path = rest.path_of(client.ml_models.list_query, **_scope(workspace))
            query = {"count": PAGE_SIZE, "latestVersionOnly": "false"}
            return list(rest.pages(client, path, query, token="$skipToken"))

        found = map(model_records.readable, self._connection.call("model", ask))
        newest = sorted(found, key=lambda each: each.name)
        newest.sort(key=lambda each: (each.created_at, each.version), reverse=True)
        return tuple(newest)

    def get(self, model_id: str) -> Model:
        split_id("model", model_id)

        def ask(workspace: SdkWorkspace) -> Model:
            client = _client(workspace)
            path = rest.path_of(client.ml_models.query_by_id, **_scope(workspace), id=model_id)
            return model_records.model(rest.get(client, path))

        return self._connection.call("model", ask, name=model_id)

    def register(
        self,
        run_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        check_asset_name("model", name)
        run, parent = self._run_with_model(run_id)

        def store(workspace: SdkWorkspace) -> Any:
            asset = f"aml://asset/{_asset_of(workspace, run, name)}"
            noted = model_records.properties_of(run, parent)
            return _register(workspace, run, name, asset, noted, description, dict(tags or {}))

        model = model_records.model(self._connection.call("model", store, name=name))
        self._connection.journal.record(
            "model.register",
            f"model/{model.id}",
            after={"run_id": run.id, "tags": dict(tags or {})},
        )
        log.info("registered %s from %s", model.id, run.id)
        return model

    def update(
        self,
        model_id: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        before = self.get(model_id)
        changes = [
            {"op": "replace", "path": path, "value": value}
            for path, value, was in (
                ("/description", description, before.description),
                ("/kvTags", None if tags is None else dict(tags), dict(before.tags)),
            )
            if value is not None and value != was
        ]
        if not changes:
            return before

        def patch(workspace: SdkWorkspace) -> Any:
            # Model.update leaves an empty description or no tags as they were.
            return _client(workspace).ml_models.patch(
                *_scope(workspace).values(), id=model_id, body=changes, raw=True
            )

        self._connection.call("model", patch, name=model_id)
        after = self.get(model_id)
        self._connection.journal.record(
            "model.update", f"model/{model_id}", before=_written(before), after=_written(after)
        )
        return after

    def contract(self, model_id: str) -> DataContract:
        """From the run's own files; else from what its scoring script or its dataset says."""
        model = self.get(model_id)
        if model.run_id is None:
            raise NotFoundError("data contract for model", model_id)
        try:
            text = self._runs.file(model.run_id, CONTRACT_FILE).decode("utf-8")
            return data_contract.from_json(text)
        except NotFoundError:
            pass
        return self._derived(model)

    def _derived(self, model: Model) -> DataContract:
        """From the rows it was trained on, which tell more; else from its scoring script."""
        try:
            return self._from_dataset(model)
        except ServiceError as unread:
            try:
                return self._from_script(model)
            except NotFoundError:
                if isinstance(unread, (UnavailableError, AccessDeniedError)):
                    raise unread from None  # there may be one: look again, or ask for the role
                raise NotFoundError("data contract for model", model.id) from unread

    def _from_dataset(self, model: Model) -> DataContract:
        if model.dataset_id is None or model.run_id is None:
            raise NotFoundError("dataset of model", model.id)
        label = model.properties.get("label") or self._label(model.run_id)
        name, version = split_id("dataset", model.dataset_id)
        return self._datasets.contract(name, version, label=label)

    def _from_script(self, model: Model) -> DataContract:
        """From the sample in the scoring script that AutoML writes."""
        assert model.run_id is not None
        script = self._runs.file(model.run_id, SCRIPT).decode("utf-8", "replace")
        columns = scoring_sample.columns(script)
        if not columns:
            raise NotFoundError("data contract for model", model.id)
        return DataContract(columns=columns, dataset_id=model.dataset_id)

    def _label(self, run_id: str) -> str:
        parent = self._runs.get(run_id).parent_id or run_id
        return self._runs.automl_settings(parent).label_column_name

    def _run_with_model(self, run_id: str) -> tuple[Run, Run | None]:
        """The run itself, or the best child of a parent; and the parent, which has the dataset."""
        run = self._runs.get(run_id)
        parent = None
        if run.best_child_id is not None:
            run, parent = self._runs.get(run.best_child_id), run
        if run.status is not RunStatus.COMPLETED:
            raise InvalidRequestError(
                f"Run {run.id} is {run.status} and has no model to register;"
                " wait until a child run has completed."
            )
        if parent is None and run.kind is RunKind.AUTOML_CHILD and run.parent_id:
            parent = self._runs.get(run.parent_id)
        return run, parent

    @cached_property
    def _runs(self) -> AzureRuns:
        from services.azure.runs import AzureRuns

        return AzureRuns(self._connection)

    @cached_property
    def _datasets(self) -> AzureDatasets:
        from services.azure.datasets import AzureDatasets

        return AzureDatasets(self._connection)


def _client(workspace: SdkWorkspace) -> Any:
    """The SDK's REST client of model management."""
    return rest.patient(workspace.service_context._get_modelmanagement_restclient())


def _scope(workspace: SdkWorkspace) -> dict[str, str]:
    """In the order the generated operations take them."""
    return {
        "subscriptionId": workspace.subscription_id,
        "resourceGroup": workspace.resource_group,
        "workspace": workspace.name,
    }


def _asset_of(workspace: SdkWorkspace, run: Run, name: str) -> str:
    """The id of a new asset: a pointer at the run's file, which stays where it is.

    Raises:
        InvalidRequestError: the run has no such file.

    Source: azureml-core 1.61.0, ``RunHistoryFacade.register_model``.
    """
    from azureml._restclient.assets_client import AssetsClient

    container = f"dcid.{run.id}"
    client = rest.patient(workspace.service_context._get_artifacts_restclient())
    path = rest.path_of(
        client.artifact.list_sas_by_prefix,
        subscriptionId=workspace.subscription_id,
        resourceGroupName=workspace.resource_group,
        workspaceName=workspace.name,
        origin="ExperimentRun",
        container=container,
        path=MODEL_FILE,
    )
    if not rest.get(client, path).get("value"):
        raise InvalidRequestError(
            f"Run {run.id} left no model behind; choose a child run that completed."
        )
    assets = AssetsClient(workspace.service_context)
    prefixes = [{"prefix": f"ExperimentRun/{container}/{MODEL_FILE}"}]
    return str(assets.create_asset(name, prefixes, None, run_id=run.id).id)


def _register(
    workspace: SdkWorkspace,
    run: Run,
    name: str,
    url: str,
    noted: dict[str, str],
    description: str,
    tags: dict[str, str],
) -> Any:
    """One request. ``Run.register_model`` would ask for the experiment and the run afterwards,
    and create the experiment where it is gone.
    """
    from azureml._restclient.models import Model as ModelDto

    model = ModelDto(
        name=name,
        url=url,
        mime_type=MIME_TYPE,
        description=description,
        kv_tags=tags,
        properties=noted,
        unpack=False,
        experiment_name=run.experiment,
        run_id=run.id,
        datasets=[],
    )
    operation = _client(workspace).ml_models.register
    return operation(*_scope(workspace).values(), model, raw=True).response.json()


def _written(model: Model) -> dict[str, Any]:
    return {"description": model.description, "tags": dict(model.tags)}
