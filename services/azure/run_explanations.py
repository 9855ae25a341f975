"""Feature importance that AutoML left on a run, without azureml-interpret.

An explanation is an asset of the run; its numbers are artifacts, in blocks of a hundred
columns, the most important first.

Source: azureml-interpret 1.60, ``_internal/explanation_client.py``: the layout of
``explanation/{first eight characters of its id}/…``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from services.azure import rest
from services.azure.connection import Connection
from services.azure.run_files import RunFiles
from services.azure.run_history import side_by_side
from services.azure.sdk_errors import translated
from services.domain import Explanation
from services.errors import NotFoundError

if TYPE_CHECKING:
    from azureml.core import Workspace as SdkWorkspace

ASSET = re.compile(r"azureml\.v\d+\.model\.explanation")
BLOCK = re.compile(r"explanation/(?P<id>[^/]+)/global_(?P<what>names|values)/(?P<number>\d+)\.")
METHOD = "Surrogate model (azureml-interpret)"

Ranked = tuple[tuple[str, float], ...]


class RunExplanations:
    def __init__(self, connection: Connection, files: RunFiles) -> None:
        self._connection = connection
        self._files = files

    def of(self, run_id: str) -> Explanation:
        """Two requests, and one for each block of names and values.

        Raises:
            NotFoundError: none was computed for this run.
        """
        assets = self._assets(run_id)
        if not assets:
            raise NotFoundError("explanation of the run", run_id)
        addresses = self._files.addresses(run_id, "explanation/")
        wanted = {kind: str(asset["explanation_id"])[:8] for kind, asset in assets.items()}
        with translated("explanation of the run", run_id):
            contents = self._contents(addresses, set(wanted.values()), run_id)
            ranked = {kind: _ranked(contents, folder) for kind, folder in wanted.items()}
        method = next((asset["method"] for asset in assets.values() if asset.get("method")), METHOD)
        return Explanation(
            method=method, raw=ranked.get("raw", ()), engineered=ranked.get("engineered", ())
        )

    def _assets(self, run_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Raw or engineered → properties of the explanation uploaded last."""

        def asked(workspace: SdkWorkspace) -> Mapping[str, Mapping[str, Any]]:
            client = rest.patient(workspace.service_context._get_assets_restclient())
            path = rest.path_of(
                client.assets.list_query,
                subscriptionId=workspace.subscription_id,
                resourceGroup=workspace.resource_group,
                workspace=workspace.name,
            )
            listed = rest.pages(client, path, {"runId": run_id}, token="$skipToken")
            found = [
                each["properties"]
                for each in listed
                if ASSET.fullmatch(each.get("type") or "") and each.get("properties")
            ]
            found.sort(key=lambda properties: str(properties.get("upload_time")))
            return {_kind(properties): properties for properties in found}

        return self._connection.call("explanation of the run", asked, name=run_id)

    def _contents(
        self, addresses: Mapping[str, str], folders: set[str], run_id: str
    ) -> Mapping[str, Any]:
        """Path → what is written there, of the blocks that are needed; side by side."""
        paths = [path for path in addresses if (at := BLOCK.match(path)) and at["id"] in folders]
        read = side_by_side(
            self._connection,
            "explanation",
            f"asked for explanation of the run “{run_id}”",
            [
                partial(self._files.fetch_here, addresses[path], f"file of the run {run_id}", path)
                for path in paths
            ],
        )
        return {path: json.loads(text) for path, text in zip(paths, read, strict=True)}


def _kind(properties: Mapping[str, Any]) -> str:
    return "raw" if str(properties.get("is_raw")).lower() == "true" else "engineered"


def _ranked(contents: Mapping[str, Any], folder: str) -> Ranked:
    """Names with their importance, largest first."""
    pairs: list[tuple[str, float]] = []
    for number in sorted(_numbers(contents, folder)):
        names = contents[f"explanation/{folder}/global_names/{number}.interpret.json"]
        values = contents[f"explanation/{folder}/global_values/{number}.interpret.json"]
        pairs += [(str(n), float(v)) for n, v in zip(names, values, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _numbers(contents: Mapping[str, Any], folder: str) -> Sequence[int]:
    found = (BLOCK.match(path) for path in contents)
    return [
        int(at["number"]) for at in found if at and at["id"] == folder and at["what"] == "names"
    ]
