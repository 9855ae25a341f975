"""The rows of a registered dataset: read from its file, or through Azure's data engine.

One delimited or Parquet file on a blob datastore, or behind a public address, is read
here with the datastore's credential and our own reader. Everything else needs the
package ``azureml-dataset-runtime``, which is optional.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from services import tabular
from services.azure import dataflows, rest
from services.azure.blob_files import BlobFiles, Content
from services.azure.dataflows import Dataflow
from services.domain import DataSource, SourceKind
from services.errors import InvalidRequestError, NotFoundError, OperationFailedError
from services.sources import content_of
from services.tabular import CONTENT_LIMIT_BYTES

if TYPE_CHECKING:
    import pandas as pd
    from azureml.core import Workspace as SdkWorkspace

    from services.azure.sign_in import Tokens

HEAD_BYTES = 4 * 1024**2  # holds a thousand rows of what people register
RUNTIME = "azureml.dataprep"
FETCHED = "/data/v1.0{scope}/dataversion/unregistered-{saved_id}/versions/1"


def read(
    workspace: SdkWorkspace,
    client: Any,
    entry: Mapping[str, Any],
    *,
    tokens: Tokens,
    row_count: int | None,
) -> pd.DataFrame:
    """Its first rows in file order, or all of them when `row_count` is None.

    Args:
        client: the SDK's REST client of the dataset service.
        entry: what the dataset service says of it.

    Raises:
        InvalidRequestError: it cannot be read from here, and why.
        OperationFailedError: its file is gone, or is no table.
    """
    flow = _dataflow(workspace, client, entry)
    if flow.obstacle:
        return _through_runtime(workspace, entry, flow.obstacle, row_count)
    if not flow.datastore:
        source = DataSource(kind=SourceKind.URL, location=flow.url)
        return _first(_table(content_of(source), flow, entry), row_count)
    files = BlobFiles.open(workspace, flow.datastore, tokens)
    partly = row_count is not None and flow.delimiter is not None and flow.encoding != "UTF-16"
    limit = HEAD_BYTES if partly else CONTENT_LIMIT_BYTES
    content = files.read(flow.path, limit_bytes=limit)
    if not content.complete and not partly:
        raise _too_large(entry, content.size_bytes)
    return _first(_table(_whole_lines(content), flow, entry), row_count)


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
        reading = tabular.read(data, delimiter=flow.delimiter, encoding=flow.encoding)
    except InvalidRequestError as error:
        raise OperationFailedError(
            f"The file of dataset “{entry['name']}” is no table. {error}"
        ) from error
    frame: pd.DataFrame = reading.table.to_pandas()
    return frame


def _whole_lines(content: Content) -> bytes:
    """All of a short file; of a long one as much as ends with a line."""
    if content.complete:
        return content.data
    return content.data[: content.data.rfind(b"\n") + 1]


def _first(frame: pd.DataFrame, row_count: int | None) -> pd.DataFrame:
    return frame if row_count is None else frame.head(row_count)


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

    with contextlib.redirect_stdout(io.StringIO()):
        dataset = Dataset.get_by_name(workspace, entry["name"], entry["latest"]["versionId"])
        rows = dataset if row_count is None else dataset.take(row_count)
        frame: pd.DataFrame = rows.to_pandas_dataframe()
    if frame is None:
        raise NotFoundError("rows of dataset", name)
    return frame


def runtime_installed() -> bool:
    """Whether ``azureml-dataset-runtime`` is there; nothing is imported."""
    try:
        return importlib.util.find_spec(RUNTIME) is not None
    except ModuleNotFoundError:
        return False
