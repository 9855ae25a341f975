"""The rows of a registered dataset: read from its file, or through Azure's data engine.

One delimited or Parquet file on a blob datastore, or behind a public address, is read
here with the datastore's credential and our own reader. Everything else needs the
package ``azureml-dataset-runtime``, which is optional.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services import tabular
from services.azure import dataflows, rest
from services.azure.blob_files import BlobFiles
from services.azure.dataflows import Dataflow
from services.domain import DataSource, SourceKind
from services.errors import InvalidRequestError, OperationFailedError
from services.sources import content_of
from services.tabular import CONTENT_LIMIT_BYTES

if TYPE_CHECKING:
    import pandas as pd
    from azureml.core import Workspace as SdkWorkspace

    from services.azure.sign_in import Tokens

HEAD_BYTES = 4 * 1024**2  # holds a thousand rows of what people register
RUNTIME = "azureml.dataprep"
FETCHED = "/data/v1.0{scope}/dataversion/unregistered-{saved_id}/versions/1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of one version are, and who can get at them."""

    entry: Mapping[str, Any]  # what the dataset service says of it
    flow: Dataflow
    files: BlobFiles | None  # None of an address, and of what only Azure's engine reads


def find(
    workspace: SdkWorkspace, client: Any, entry: Mapping[str, Any], *, tokens: Tokens
) -> Place:
    """Where the rows are. At most two requests.

    Args:
        client: the SDK's REST client of the dataset service.

    Raises:
        InvalidRequestError: the datastore is of a kind that is not read from here.
        OperationFailedError: the datastore is gone.
    """
    flow = _dataflow(workspace, client, entry)
    if flow.obstacle or not flow.datastore:
        return Place(entry, flow, None)
    return Place(entry, flow, BlobFiles.open(workspace, flow.datastore, tokens))


def read(workspace: SdkWorkspace, place: Place, *, row_count: int | None) -> pd.DataFrame:
    """The first rows in file order, or all of them when `row_count` is None.

    Raises:
        InvalidRequestError: it cannot be read from here, and why.
        OperationFailedError: its file is gone, or is no table.
    """
    flow, entry = place.flow, place.entry
    if flow.obstacle:
        frame = _through_runtime(workspace, entry, flow.obstacle, row_count)
    elif place.files is None:
        source = DataSource(kind=SourceKind.URL, location=flow.url)
        frame = _table(content_of(source), flow, entry)
    else:
        frame = _of_file(place.files, flow, entry, row_count)
    return frame if row_count is None else frame.head(row_count)


def _of_file(
    files: BlobFiles, flow: Dataflow, entry: Mapping[str, Any], row_count: int | None
) -> pd.DataFrame:
    """As much of the file as is needed; of a delimited one its beginning is often enough."""
    if row_count is not None and flow.delimiter is not None and flow.encoding != "UTF-16":
        start = files.read(flow.path, limit_bytes=HEAD_BYTES)
        if start.complete:
            return _table(start.data, flow, entry)
        with suppress(InvalidRequestError):  # a line feed inside quotes
            frame = _parsed(start.data[: start.data.rfind(b"\n") + 1], flow)
            if len(frame) >= row_count:
                return frame
    content = files.read(flow.path, limit_bytes=CONTENT_LIMIT_BYTES)
    if not content.complete:
        raise _too_large(entry, content.size_bytes)
    return _table(content.data, flow, entry)


def _dataflow(workspace: SdkWorkspace, client: Any, entry: Mapping[str, Any]) -> Dataflow:
    """Its definition; one of an older kind is translated by the service.

    Source: azureml-core 1.61.0, ``_dataset_rest_helper._fetch_rslex_dataflow_yaml``.
    """
    latest = entry["latest"]
    script = dataflows.script_of(latest.get("dataflow"))
    if script is None:
        scope = (
            f"/subscriptions/{workspace.subscription_id}"
            f"/resourceGroups/{workspace.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}"
        )
        path = FETCHED.format(scope=scope, saved_id=latest["savedDatasetId"])
        script = rest.get(client, path, {"includeSavedDatasets": "true"})["legacyDataflow"]
    return dataflows.read(script)


def _table(data: bytes, flow: Dataflow, entry: Mapping[str, Any]) -> pd.DataFrame:
    try:
        return _parsed(data, flow)
    except InvalidRequestError as error:
        raise OperationFailedError(
            f"The file of dataset “{entry['name']}” is no table. {error}"
        ) from error


def _parsed(data: bytes, flow: Dataflow) -> pd.DataFrame:
    frame: pd.DataFrame = tabular.read(
        data, delimiter=flow.delimiter, encoding=flow.encoding
    ).table.to_pandas()
    return frame


def _too_large(entry: Mapping[str, Any], size_bytes: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"The file of dataset “{entry['name']}” has {size_bytes / 1024**2:,.0f} MB, and all of "
        f"it would have to be read here; {CONTENT_LIMIT_BYTES // 1024**2} MB are accepted. Look "
        "at its first rows, or profile it in Azure ML studio."
    )


def _through_runtime(
    workspace: SdkWorkspace, entry: Mapping[str, Any], obstacle: str, row_count: int | None
) -> pd.DataFrame:
    """The rows as Azure's own engine reads them, where it is installed.

    It prints what it reads and reports its use to Microsoft; nothing in it turns the
    second off, which is why nothing but this depends on it.

    Source: azureml-dataprep 5.5.0, ``_rslex_executor.ensure_rslex_environment``.
    """
    name = f"{entry['name']}:{entry['latest'].get('versionId')}"
    if entry.get("datasetType") == "file":
        raise InvalidRequestError(
            f"Dataset “{name}” is made of files, not of rows: look at it in Azure ML studio."
        )
    if not runtime_installed():
        raise InvalidRequestError(
            f"Dataset “{name}” cannot be read here because it {obstacle}. Azure's data engine "
            "can: install it with pip install -r requirements-azure-data.txt and restart the "
            "dashboard, or look at it in Azure ML studio."
        )
    from azureml.core import Dataset

    dataset = Dataset.get_by_name(workspace, entry["name"], entry["latest"]["versionId"])
    rows = dataset if row_count is None else dataset.take(row_count)
    frame: pd.DataFrame = rows.to_pandas_dataframe()
    return frame


def runtime_installed() -> bool:
    """Whether ``azureml-dataset-runtime`` is there; nothing is imported."""
    try:
        return importlib.util.find_spec(RUNTIME) is not None
    except ModuleNotFoundError:
        return False
