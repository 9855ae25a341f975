"""Run history's JSON as our records. Pure: nothing here asks anybody."""

from __future__ import annotations

import ast
import json
import logging
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.domain import EnsembleMember, Experiment, Run, RunKind, RunStatus

log = logging.getLogger(__name__)

EPOCH = datetime.fromtimestamp(0, UTC)
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
MESSAGE_LIMIT = 300
A_SECOND = 1_000_000_000  # a number this large is no count of runs but seconds since 1970
SIGNATURE = re.compile(r"(?i)\bsig=[^&\s\"'<>]+")
FRACTION = re.compile(r"\.(\d{6})\d*")
BEST_CHILD = "automl_best_child_run_id"
DATASET = re.compile(r"/data/(?P<name>[^/]+)/versions/(?P<version>[^/\"\\]+)")

# Words run history or the pipeline service uses for what has another name here.
STATUSES = {
    "Finished": RunStatus.COMPLETED,
    "Bypassed": RunStatus.COMPLETED,
    "Cancelled": RunStatus.CANCELED,
    "Canceling": RunStatus.CANCEL_REQUESTED,
    "Pausing": RunStatus.PAUSED,
    "Unapproved": RunStatus.NOT_STARTED,  # waits for somebody to approve it
}
KINDS = {
    "automl": RunKind.AUTOML,
    "azureml.PipelineRun": RunKind.PIPELINE,
    "azureml.StepRun": RunKind.STEP,
}


def experiment_record(item: Any) -> Experiment | None:
    """None for one without a name: nothing could be asked of it."""
    try:
        return Experiment(name=item["name"], created_at=_instant(item.get("createdUtc")) or EPOCH)
    except UNREADABLE:
        log.warning("Azure ML lists an experiment that cannot be read")
        return None


def run_record(item: Any, *, experiment: str, datasets: Mapping[str, str | None]) -> Run:
    """Our record of a run; one that cannot be read is shown as such.

    Args:
        datasets: saved dataset id → ``name:version``, as far as known.
    """
    try:
        return _run(item, experiment, datasets)
    except UNREADABLE as error:
        log.warning("run history's record of a run cannot be read: %s", type(error).__name__)
        return _unreadable(item, experiment)


def status(word: str | None) -> RunStatus:
    """Azure's word as one of ours; a new one is Unknown and logged."""
    if word in STATUSES:
        return STATUSES[word]
    try:
        return RunStatus(word or RunStatus.UNKNOWN)
    except ValueError:
        log.warning("Azure ML reports a run status we do not know: %r", word)
        return RunStatus.UNKNOWN


def saved_dataset_id(item: Any) -> str | None:
    """The id of the dataset an AutoML parent was trained on, as Azure keeps it."""
    try:
        properties = item.get("properties") or {}
        found = settings_of(properties).get("dataset_id")
        found = found or _prepared(properties).get("datasetId")
    except UNREADABLE:
        return None
    return str(found) if found else None


def settings_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the parent was started with. Raises ValueError where it cannot be read."""
    found = json.loads(properties.get("AMLSettingsJsonString") or "{}")
    if not isinstance(found, Mapping):
        raise ValueError("AMLSettingsJsonString")
    return found


def ensemble_members(properties: Mapping[str, str]) -> tuple[EnsembleMember, ...]:
    """Heaviest first; empty for a run that is no ensemble.

    Raises:
        ValueError: the lists do not fit together.
    """
    listed = [
        _listed(properties, name)
        for name in ("ensembled_run_ids", "ensembled_algorithms", "ensemble_weights")
    ]
    members = [
        EnsembleMember(run_id=str(run_id), algorithm=str(algorithm), weight=float(weight))
        for run_id, algorithm, weight in zip(*listed, strict=True)
    ]
    return tuple(sorted(members, key=lambda member: -member.weight))


def without_signatures(text: str) -> str:
    """The text without what would let its reader into the storage account."""
    return SIGNATURE.sub("sig=…", text)


def _run(item: Mapping[str, Any], experiment: str, datasets: Mapping[str, str | None]) -> Run:
    properties, tags = _texts(item.get("properties")), _texts(item.get("tags"))
    kind = _kind(item, properties)
    best = tags.get(BEST_CHILD) if kind is RunKind.AUTOML else None
    created_at = _instant(item.get("createdUtc")) or _instant(item.get("startTimeUtc"))
    if created_at is None:
        raise ValueError("createdUtc")
    return Run(
        id=item["runId"],
        experiment=experiment,
        number=_run_number(item, properties),
        kind=kind,
        display_name=_display_name(item, kind, properties),
        status=status(item.get("status")),
        created_at=created_at,
        started_at=_instant(item.get("startTimeUtc")),
        ended_at=_instant(item.get("endTimeUtc")),
        parent_id=item.get("parentRunId"),
        primary_metric=properties.get("primary_metric"),
        score=_best_score(tags, best) if best else _number(properties.get("score")),
        best_child_id=best,
        error=_error(item, properties),
        dataset_id=_dataset(item, properties, datasets),
        properties=properties,
        tags=tags,
    )


def _unreadable(item: Any, experiment: str) -> Run:
    known = item if isinstance(item, Mapping) else {}
    run_id = str(known.get("runId") or "unreadable")
    return Run(
        id=run_id,
        experiment=experiment,
        number=0,
        kind=RunKind.OTHER,
        display_name=run_id,
        status=RunStatus.UNKNOWN,
        created_at=EPOCH,
        parent_id=_text(known.get("parentRunId")),
        error="Azure ML's record of this run cannot be read; the portal may show it.",
    )


def _kind(item: Mapping[str, Any], properties: Mapping[str, str]) -> RunKind:
    template = properties.get("runTemplate", "").lower()
    if template == "automl_child":
        return RunKind.AUTOML_CHILD
    if template == "automl":
        return RunKind.AUTOML
    for word in (item.get("runType"), properties.get("azureml.runsource")):
        if word in KINDS:
            return KINDS[word]
    return RunKind.OTHER


def _run_number(item: Mapping[str, Any], properties: Mapping[str, str]) -> int:
    """Counted within the experiment; where Azure now writes the second it began, a candidate's
    place in its search says more."""
    number = int(item.get("runNumber") or 0)
    iteration = properties.get("iteration", "")
    return int(iteration) if number >= A_SECOND and iteration.isdigit() else number


def _display_name(item: Mapping[str, Any], kind: RunKind, properties: Mapping[str, str]) -> str:
    """A candidate by what was tried, as the portal's leaderboard names it."""
    if kind is RunKind.AUTOML_CHILD:
        parts = (properties.get("run_preprocessor"), properties.get("run_algorithm"))
        if any(parts):
            return ", ".join(filter(None, parts))
    return str(item.get("displayName") or item.get("name") or item["runId"])


def _best_score(tags: Mapping[str, str], best_child_id: str) -> float | None:
    """The score the parent has noted for its best child.

    Source: tags ``iteration_000``, ``score_000`` … of AutoML parents, semicolons between the
    children; older parents have one tag without a number.
    """
    scores = dict(zip(_noted(tags, "iteration"), _noted(tags, "score"), strict=False))
    return _number(scores.get(best_child_id.rpartition("_")[2]))


def _noted(tags: Mapping[str, str], name: str) -> list[str]:
    parts = sorted(key for key in tags if re.fullmatch(rf"{name}(_\d+)?", key))
    return [value for key in parts if tags[key] for value in tags[key].split(";")]


def _dataset(
    item: Mapping[str, Any], properties: Mapping[str, str], datasets: Mapping[str, str | None]
) -> str | None:
    saved = saved_dataset_id(item)
    if saved:
        return datasets.get(saved)
    found = DATASET.search(properties.get("mltable_data_json", ""))
    return f"{found['name']}:{found['version']}" if found else None


def _prepared(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description of the training data, which Azure keeps with its quotes escaped."""
    text = properties.get("DataPrepJsonString") or "{}"
    prepared = json.loads(text.replace('\\"', '"')).get("training_data") or {}
    return prepared if isinstance(prepared, Mapping) else {}


def _error(item: Mapping[str, Any], properties: Mapping[str, str]) -> str:
    found = item.get("error") or {}
    message = (found.get("error") or {}).get("message") or properties.get("failure_reason") or ""
    lines = without_signatures(message).strip().splitlines()
    return lines[0][:MESSAGE_LIMIT] if lines else ""


def _texts(values: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items() if value is not None}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> float | None:
    if text is None or text == "":
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _instant(text: str | None) -> datetime | None:
    """Azure writes seven digits of a second, Python reads six."""
    if not text:
        return None
    instant = datetime.fromisoformat(FRACTION.sub(r".\1", text.replace("Z", "+00:00")))
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _listed(properties: Mapping[str, str], name: str) -> list[Any]:
    """A property AutoML writes as a Python list, ``['LightGBM', 'XGBoostClassifier']``."""
    try:
        found = ast.literal_eval(properties.get(name) or "[]")
    except (SyntaxError, ValueError) as error:
        raise ValueError(name) from error
    if not isinstance(found, list):
        raise ValueError(name)
    return found
