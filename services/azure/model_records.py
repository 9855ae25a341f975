"""Our record of a registered model, from the JSON of the model management service (pure)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from services.azure.dataset_records import UNKNOWN_DATE, instant
from services.azure.run_records import settings_of
from services.domain import Model, Run

log = logging.getLogger(__name__)

# Azure has no fields for these; a model registered here keeps them among its properties.
ALGORITHM, DATASET = "algorithm", "dataset_id"
OUR_FIELDS = (ALGORITHM, DATASET)


def model(entry: Mapping[str, Any]) -> Model:
    """One entry of the list, or the answer to a question for one id.

    Raises:
        KeyError, TypeError, ValueError: it has no name, version or date.
    """
    kept = _texts(entry.get("properties"))
    return Model(
        name=entry["name"],
        version=int(entry["version"]),
        created_at=instant(entry["createdTime"]),
        run_id=entry.get("runId") or None,
        experiment=entry.get("experimentName") or None,
        dataset_id=_dataset_id(kept.get(DATASET, "")),
        algorithm=kept.get(ALGORITHM, ""),
        framework=_framework(entry),
        description=entry.get("description") or "",
        tags=_texts(entry.get("kvTags")),
        properties={name: value for name, value in kept.items() if name not in OUR_FIELDS},
    )


def readable(entry: Any) -> Model:
    """As `model`; an entry that is not understood says so and keeps its name."""
    try:
        return model(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = str(entry.get("name") or "unnamed") if isinstance(entry, dict) else "unnamed"
        log.warning("Azure ML's entry of model %r is not understood: %r", name, error)
        return Model(
            name=name,
            version=0,
            created_at=UNKNOWN_DATE,
            description="Azure ML's entry of this model could not be understood.",
        )


def properties_of(run: Run, parent: Run | None) -> dict[str, str]:
    """What a list of models should say without opening the run, nor its parent."""
    known = {
        ALGORITHM: run.display_name,
        DATASET: run.dataset_id or (parent.dataset_id if parent else None),
        "primary_metric": run.primary_metric,
        "score": None if run.score is None else repr(run.score),
        "parent_run_id": run.parent_id,
        "label": _label(parent),
    }
    return {name: value for name, value in known.items() if value}


def _label(parent: Run | None) -> str | None:
    if parent is None:
        return None
    try:
        label = settings_of(parent.properties).get("label_column_name")
    except ValueError:
        return None
    return str(label) if label else None


def _dataset_id(text: str) -> str | None:
    """Others may have a property of this name that means something else."""
    return text if re.fullmatch(r".+:\d+", text) else None


def _framework(entry: Mapping[str, Any]) -> str:
    """Azure's word and, of a framework it knows, the version; “Custom” says nothing."""
    word = entry.get("framework") or ""
    if word == "Custom":
        return ""
    return f"{word} {entry.get('frameworkVersion') or ''}".strip()


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in (values or {}).items()}
