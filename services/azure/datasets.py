"""Registered tabular data of an Azure ML workspace."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services import data_contract, profiles, tabular
from services.azure import dataflows, dataset_records, dataset_rows, rest
from services.azure.blob_files import BlobFiles
from services.azure.connection import Connection
from services.domain import (
    DataContract,
    Dataset,
    DatasetProfile,
    DataSource,
    Inspection,
    SampleDataset,
    SourceKind,
    check_asset_name,
)
from services.errors import NotFoundError
from services.ports import Datasets
from services.sources import content_of

if TYPE_CHECKING:
    import pandas as pd
    from azureml.core import Workspace as SdkWorkspace

log = logging.getLogger(__name__)

TABULAR = "tabular"
INSPECTED_ROWS = 10
PAGE_SIZE = "100"
TRANSFER_LIMIT_S = 90.0  # for the bytes of a file, up to 50 MB
FOLDER = "azureml-dashboard"  # on the default datastore


class AzureDatasets(Datasets):
    """Lists cost one request; rows are read from the file's own storage."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[Dataset, ...]:
        def ask(workspace: SdkWorkspace) -> list[Any]:
            client = _client(workspace)
            path = rest.path_of(client.dataset.list, **_scope(workspace))
            query = {
                "includeInvisible": "false",
                "pageSize": PAGE_SIZE,
                "includeLatestDefinition": "true",
            }
            return list(rest.pages(client, path, query, token="continuationToken"))

        entries = self._connection.call("dataset", ask)
        found = map(dataset_records.readable, entries)
        return tuple(sorted(found, key=lambda each: (each.created_at, each.name), reverse=True))

    def versions(self, name: str) -> tuple[Dataset, ...]:
        def ask(workspace: SdkWorkspace) -> tuple[Any, list[Any]]:
            client = _client(workspace)
            entry = _entry(workspace, client, name)
            path = rest.path_of(
                client.dataset.get_all_dataset_definitions,
                **_scope(workspace),
                datasetId=entry["datasetId"],
            )
            query = {"pageSize": PAGE_SIZE}
            return entry, list(rest.pages(client, path, query, token="continuationToken"))

        entry, definitions = self._connection.call("dataset", ask, name=name)
        found = [dataset_records.readable(entry | {"latest": each}) for each in definitions]
        return tuple(sorted(found, key=lambda each: each.version, reverse=True))

    def get(self, name: str, version: int | None = None) -> Dataset:
        def ask(workspace: SdkWorkspace) -> Dataset:
            return dataset_records.dataset(_entry(workspace, _client(workspace), name, version))

        wanted = name if version is None else f"{name}:{version}"
        return self._connection.call("dataset", ask, name=wanted)

    def register(
        self,
        name: str,
        source: DataSource,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Dataset:
        check_asset_name("dataset", name)
        content = content_of(source)
        reading = _read(content, source)

        noted = {
            dataset_records.SOURCE: _shown(source),
            dataset_records.ROWS: str(reading.table.num_rows),
            dataset_records.COLUMNS: str(reading.table.num_columns),
            dataset_records.BYTES: str(len(content)),
        }
        address = self._stored(name, _file_name(source, reading), content)
        definition = (
            dataflows.parquet(address)
            if reading.delimiter is None
            else dataflows.delimited(address, reading.delimiter, reading.encoding)
        )
        entry = self._connection.call(
            "dataset",
            lambda workspace: _register(
                workspace, name, definition, noted, description, dict(tags or {})
            ),
            name=name,
        )
        dataset = dataset_records.dataset(entry)
        self._connection.journal.record(
            "dataset.register",
            f"dataset/{dataset.id}",
            after={
                "source": dataset.source,
                "row_count": dataset.row_count,
                "column_count": dataset.column_count,
            },
        )
        log.info("registered dataset %s", dataset.id)
        return dataset

    def inspect(self, source: DataSource) -> Inspection:
        reading = _read(content_of(source), source)
        frame = reading.table.to_pandas()
        return Inspection(
            row_count=len(frame),
            columns={str(name): profiles.column_type(frame[name]).value for name in frame},
            format=reading.format,
            delimiter=reading.delimiter,
            decimal=reading.decimal,
            encoding=reading.encoding,
            head=tuple(reading.table.slice(0, INSPECTED_ROWS).to_pylist()),
            warnings=reading.warnings,
        )

    def head(self, name: str, version: int, row_count: int) -> pd.DataFrame:
        return self._rows(name, version, row_count=row_count)

    def profile(self, name: str, version: int) -> DatasetProfile:
        return profiles.profile(self._rows(name, version, row_count=None))

    def contract(self, name: str, version: int, *, label: str | None = None) -> DataContract:
        profile = self.profile(name, version)
        return data_contract.derive(profile, label=label, dataset_id=f"{name}:{version}")

    def samples(self) -> tuple[SampleDataset, ...]:
        return ()

    def register_sample(self, sample_id: str) -> Dataset:
        raise NotFoundError("sample dataset", sample_id)

    def _stored(self, name: str, file: str, content: bytes) -> str:
        """The address of a new file on the default datastore, in a folder of its own."""
        path = f"{FOLDER}/{_addressable(name)}/{secrets.token_hex(8)}/{file}"
        files = self._connection.call(
            "default datastore",
            lambda workspace: BlobFiles.open(workspace, None, self._connection.tokens),
        )

        def write(workspace: SdkWorkspace) -> str:
            files.write(path, content)
            return files.address(workspace, path)

        return self._connection.call("file", write, name=path, limit_s=TRANSFER_LIMIT_S)

    def _rows(self, name: str, version: int, *, row_count: int | None) -> pd.DataFrame:
        """The first rows, or all of them when `row_count` is None."""

        wanted = f"{name}:{version}"

        def find(workspace: SdkWorkspace) -> dataset_rows.Place:
            client = _client(workspace)
            entry = _entry(workspace, client, name, version)
            return dataset_rows.find(workspace, client, entry, tokens=self._connection.tokens)

        place = self._connection.call("dataset", find, name=wanted)
        return self._connection.call(
            "rows of dataset",
            lambda workspace: dataset_rows.read(workspace, place, row_count=row_count),
            name=wanted,
            limit_s=TRANSFER_LIMIT_S,
        )


def _client(workspace: SdkWorkspace) -> Any:
    """The SDK's REST client of the dataset service.

    Source: azureml-core 1.61.0, ``_dataset_rest_helper._restclient``.
    """
    from azureml.data._dataset_rest_helper import _restclient

    return rest.patient(_restclient(workspace))


def _scope(workspace: SdkWorkspace) -> dict[str, str]:
    return {
        "subscriptionId": workspace.subscription_id,
        "resourceGroupName": workspace.resource_group,
        "workspaceName": workspace.name,
    }


def _entry(workspace: SdkWorkspace, client: Any, name: str, version: int | None = None) -> Any:
    """What the service says of one name, with the definition of the version asked for.

    ``Dataset.get_by_name`` would ask a second service, and a third for a name that is not there.
    """
    path = rest.path_of(client.dataset.get_dataset_by_name, **_scope(workspace), datasetName=name)
    query = {"includeLatestDefinition": "true"}
    if version is not None:
        query["versionId"] = str(version)
    return rest.get(client, path, query)


def _register(
    workspace: SdkWorkspace,
    name: str,
    definition: str,
    noted: Mapping[str, str],
    description: str,
    tags: Mapping[str, str],
) -> Any:
    """Register the definition as the next version. One request; the SDK would make two.

    Source: azureml-core 1.61.0, ``AbstractDataset._register`` with ``create_new_version``.
    """
    from azureml._restclient.models.dataset_definition_dto import DatasetDefinitionDto
    from azureml._restclient.models.dataset_dto import DatasetDto
    from azureml._restclient.models.dataset_state_dto import DatasetStateDto

    entry = DatasetDto(
        name=name,
        dataset_type=TABULAR,
        description=description,
        tags=dict(tags),
        is_visible=True,
        latest=DatasetDefinitionDto(
            dataflow=definition,
            properties=dict(noted),
            dataset_definition_state=DatasetStateDto(),
        ),
    )
    answer = _client(workspace).dataset.register(
        workspace.subscription_id,
        workspace.resource_group,
        workspace.name,
        dataset_dto=entry,
        if_exists_ok=True,
        update_definition_if_exists=True,
        raw=True,
    )
    return answer.response.json()


def _read(content: bytes, source: DataSource) -> tabular.Reading:
    return tabular.read(
        content, delimiter=source.delimiter, decimal=source.decimal, encoding=source.encoding
    )


def _file_name(source: DataSource, reading: tabular.Reading) -> str:
    """The file's own name, as far as it can be part of an address."""
    path = urlsplit(source.location).path if source.kind is SourceKind.URL else source.location
    stem = _addressable(PurePath(path.replace("\\", "/")).stem)
    return f"{stem[:100] or 'rows'}.{reading.format.lower()}"


def _addressable(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")


def _shown(source: DataSource) -> str:
    """Where it came from, for whoever reads the workspace: no password, no signature."""
    if source.kind is not SourceKind.URL:
        return source.location
    parts = urlsplit(source.location)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
