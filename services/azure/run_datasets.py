"""Which registered dataset a run was trained on: Azure notes only the id of its definition."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from services.azure import rest
from services.azure.connection import Connection
from services.azure.run_history import history_client, scope, side_by_side
from services.azure.sdk_errors import translated
from services.errors import NotFoundError, ServiceError

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

log = logging.getLogger(__name__)


class DatasetNames:
    """Saved dataset id → ``name:version``. Remembered: what is saved never changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names: dict[str, str | None] = {}

    def of(self, saved_ids: Iterable[str | None]) -> Mapping[str, str | None]:
        """One request for an id not seen before; None for a dataset nobody registered.

        A run is shown without its dataset rather than not at all: trouble is only logged.
        """
        unknown = sorted({each for each in saved_ids if each} - self._names.keys())
        if unknown:
            try:
                tasks = [partial(self._name_of, each) for each in unknown]
                doing = "asked for the datasets of runs"
                found = side_by_side(self._connection, "dataset", doing, tasks)
                self._names.update(zip(unknown, found, strict=True))
            except ServiceError as error:
                log.warning("the datasets of runs are not known: %s", error)
        return self._names

    def _name_of(self, saved_id: str) -> str | None:
        workspace: SdkWorkspace = self._connection.workspace
        client = history_client(workspace)
        path = rest.path_of(
            client.dataset.get_datasets_by_saved_dataset_id,
            **scope(workspace),
            savedDatasetId=saved_id,
        )
        try:
            with translated("dataset", saved_id):
                entries = rest.get(client, path)["value"]
        except NotFoundError:
            return None
        return next(filter(None, (_named(entry, saved_id) for entry in entries)), None)


def _named(entry: Mapping[str, Any], saved_id: str) -> str | None:
    latest = entry.get("latest") or {}
    if latest.get("savedDatasetId") != saved_id or not entry.get("name"):
        return None
    return f"{entry['name']}:{latest.get('versionId')}"
