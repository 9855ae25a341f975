"""Our record of a dataset, from the JSON of the dataset service (pure)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.azure import dataflows
from services.azure.dataflows import Dataflow
from services.domain import Dataset

log = logging.getLogger(__name__)

UNKNOWN_DATE = datetime(1970, 1, 1, tzinfo=UTC)
ROWS, COLUMNS, BYTES, SOURCE = "row_count", "column_count", "size_bytes", "source"


def dataset(entry: Mapping[str, Any]) -> Dataset:
    """One version of a dataset: the one the service calls its latest.

    Description and tags are the dataset's own, whatever the version.

    Raises:
        KeyError, TypeError, ValueError: it has no name, version or date.
    """
    latest = entry["latest"]
    noted = latest.get("properties") or {}
    return Dataset(
        name=entry["name"],
        version=int(latest["versionId"]),
        created_at=instant(latest.get("createdTime") or entry["createdTime"]),
        source=str(noted.get(SOURCE) or source_of(latest)),
        row_count=_count(noted.get(ROWS)),
        column_count=_count(noted.get(COLUMNS)),
        size_bytes=_count(noted.get(BYTES)),
        description=entry.get("description") or "",
        tags={name: str(value) for name, value in (entry.get("tags") or {}).items()},
    )


def readable(entry: Any) -> Dataset:
    """As `dataset`; an entry that is not understood says so and keeps its name."""
    try:
        return dataset(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = str(entry.get("name") or "unnamed") if isinstance(entry, dict) else "unnamed"
        log.warning("Azure ML's entry of dataset %r is not understood: %r", name, error)
        return Dataset(
            name=name,
            version=0,
            created_at=UNKNOWN_DATE,
            source="",
            description="Azure ML's entry of this dataset could not be understood.",
        )


def source_of(definition: Mapping[str, Any]) -> str:
    """Where the rows are, for people; empty when the list does not tell."""
    script = dataflows.script_of(definition.get("dataflow"))
    if script and (found := dataflows.read(script).source):
        return found
    path = definition.get("dataPath") or {}
    if path.get("datastoreName"):
        return f"{path['datastoreName']}/{path.get('relativePath') or ''}"
    return Dataflow(url=path.get("httpUrl") or "").source


def instant(text: str) -> datetime:
    """An instant as the services write it: up to seven digits, UTC whether they say so or not."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _count(value: Any) -> int | None:
    """Properties are kept as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
