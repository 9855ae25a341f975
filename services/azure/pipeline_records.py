"""The pipelines service's JSON as records. Pure.

What cannot be read becomes a record whose state is Unknown and which says so, and the
others are listed all the same.

Source: azureml-pipeline-core 1.62.0, ``_restclients/aeva/models`` for the fields,
``service_caller_base.py`` for the numbers that older answers carry instead of words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from services.domain import (
    AssetStatus,
    PipelineEndpoint,
    PipelineParameter,
    PipelineRun,
    PublishedPipeline,
    RunStatus,
    StepRun,
)
from services.errors import UnavailableError

log = logging.getLogger(__name__)
T = TypeVar("T")
Json = Mapping[str, Any]

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_ENTITY_NUMBERS = {"0": "Active", "1": "Deprecated", "2": "Disabled"}
_RUN_NUMBERS = dict(enumerate(("NotStarted", "Running", "Failed", "Finished", "Canceled")))
_STEP_NUMBERS = dict(
    enumerate(("NotStarted", "Queued", "Running", "Failed", "Finished", "Canceled"))
)


def each(answer: Any, read: Callable[[Json], T], unreadable: Callable[[Json, str], T]) -> list[T]:
    """A list's items as records, in its order.

    Args:
        read: Makes a record of an item, and raises for one it cannot read.
        unreadable: Makes one that says so, of whatever the item does hold.

    Raises:
        UnavailableError: the answer is no list.
    """
    if not isinstance(answer, list):
        raise UnavailableError("Azure ML's answer could not be understood: it is no list.")
    records = []
    for item in answer:
        try:
            records.append(read(item))
        except UNREADABLE as error:
            said = f"Azure ML's description of it cannot be read ({_said(error)})."
            held = item if isinstance(item, dict) else {}
            log.warning("an item of Azure ML is unreadable: %s, %s", held.get("Id"), said)
            records.append(unreadable(held, said))
    return records


def entity(answer: Any, kind: str) -> Json:
    """The object that was asked for, as Azure sent it.

    Raises:
        UnavailableError: the answer is none, or one without an id.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("Id"), str):
        raise UnavailableError(f"Azure ML's answer for the {kind} could not be understood.")
    return answer


def one(answer: Any, kind: str, read: Callable[[Json], T]) -> T:
    """The record of the object that was asked for.

    Raises:
        UnavailableError: it cannot be read.
    """
    item = entity(answer, kind)
    try:
        return read(item)
    except UNREADABLE as error:
        raise UnavailableError(
            f"Azure ML's description of the {kind} {item['Id']} cannot be read ({_said(error)})."
        ) from error


def newest_first(records: Iterable[T], at: Callable[[T], datetime | None]) -> tuple[T, ...]:
    return tuple(sorted(records, key=lambda record: at(record) or LONG_AGO, reverse=True))


# --- published pipelines and endpoints --------------------------------------------


def pipeline(item: Json) -> PublishedPipeline:
    return PublishedPipeline(
        id=_text(item, "Id"),
        name=_text(item, "Name"),
        version=str(item.get("Version") or ""),
        status=asset_status(item.get("EntityStatus")),
        endpoint=str(item.get("Url") or ""),
        created_at=instant(item.get("CreatedDate")),
        description=str(item.get("Description") or ""),
        parameters=tuple(
            PipelineParameter(name=name, default=default)
            for name, default in texts(item.get("ParameterAssignments")).items()
        ),
    )


def unreadable_pipeline(item: Json, said: str) -> PublishedPipeline:
    return PublishedPipeline(
        id=str(item.get("Id") or ""),
        name=str(item.get("Name") or item.get("Id") or "unreadable"),
        version="",
        status=AssetStatus.UNKNOWN,
        endpoint="",
        created_at=None,
        description=said,
    )


def endpoint(item: Json) -> PipelineEndpoint:
    return PipelineEndpoint(
        id=_text(item, "Id"),
        name=_text(item, "Name"),
        status=asset_status(item.get("EntityStatus")),
        endpoint=str(item.get("Url") or ""),
        default_version=str(item.get("DefaultVersion") or ""),
        versions={
            str(version["Version"]): str(version["PipelineId"])
            for version in item.get("PipelineVersionList") or ()
        },
        description=str(item.get("Description") or ""),
    )


def unreadable_endpoint(item: Json, said: str) -> PipelineEndpoint:
    return PipelineEndpoint(
        id=str(item.get("Id") or ""),
        name=str(item.get("Name") or item.get("Id") or "unreadable"),
        status=AssetStatus.UNKNOWN,
        endpoint="",
        default_version="",
        versions={},
        description=said,
    )


def asset_status(word: Any) -> AssetStatus:
    named = _ENTITY_NUMBERS.get(str(word), str(word))
    try:
        return AssetStatus(named)
    except ValueError:
        log.warning("Azure ML reports the status of a pipeline asset as %r", named)
        return AssetStatus.UNKNOWN


# --- runs and steps ---------------------------------------------------------------


def run(item: Json) -> PipelineRun:
    state: Json = item.get("Status") or {}
    status = run_status(state.get("StatusCode"))
    created = instant(item.get("CreatedDate")) or instant(state.get("CreationTime"))
    if created is None:
        raise ValueError("it has no date")
    begun = status not in (RunStatus.NOT_STARTED, RunStatus.QUEUED)
    return PipelineRun(
        id=_text(item, "Id"),
        pipeline_id=str(item.get("PipelineId") or ""),
        experiment=str(item.get("RunHistoryExperimentName") or ""),
        status=status,
        created_at=created,
        # The service tells when the run was made and when it ended, and starts it at once.
        started_at=(instant(state.get("CreationTime")) or created) if begun else None,
        ended_at=instant(state.get("EndTime")) if status.settled else None,
        schedule_id=item.get("ScheduleId") or None,
        run_source=str(item.get("RunSource") or ""),
        parameters=texts(item.get("ParameterAssignments")),
        error=str(state.get("StatusDetail") or "") if status is RunStatus.FAILED else "",
    )


def unreadable_run(item: Json, said: str) -> PipelineRun:
    return PipelineRun(
        id=str(item.get("Id") or ""),
        pipeline_id=str(item.get("PipelineId") or ""),
        experiment=str(item.get("RunHistoryExperimentName") or ""),
        status=RunStatus.UNKNOWN,
        created_at=LONG_AGO,
        schedule_id=str(item.get("ScheduleId") or "") or None,
        error=said,
    )


def step(run_id: str, node_id: str, name: str, item: Json) -> StepRun:
    """One node's ``TaskStatus``; an empty one has not started."""
    status = step_status(item.get("StatusCode") or "NotStarted")
    return StepRun(
        id=str(item.get("RunId") or f"{run_id}/{node_id}"),
        node_id=node_id,
        name=f"{name} (reused)" if item.get("ReuseInfo") else name,
        status=status,
        started_at=instant(item.get("StartTime")),
        ended_at=instant(item.get("EndTime")),
        error=str(item.get("StatusDetail") or "") if status is RunStatus.FAILED else "",
    )


def run_status(word: Any) -> RunStatus:
    return _status(_RUN_NUMBERS.get(_number(word), word))


def step_status(word: Any) -> RunStatus:
    return _status(_STEP_NUMBERS.get(_number(word), word))


def _status(word: Any) -> RunStatus:
    """``Finished`` is the pipelines service's spelling of Completed."""
    if word is None:
        return RunStatus.NOT_STARTED
    try:
        return RunStatus.COMPLETED if word == "Finished" else RunStatus(word)
    except ValueError:
        log.warning("Azure ML reports a pipeline status we do not know: %r", word)
        return RunStatus.UNKNOWN


# --- values -----------------------------------------------------------------------


def instant(text: Any) -> datetime | None:
    """An instant as the services write it; one without an offset is UTC.

    Raises:
        ValueError: it is no instant.
    """
    if text is None:
        return None
    at = datetime.fromisoformat(str(text))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def texts(values: Any) -> dict[str, str]:
    return {
        str(name): "" if value is None else str(value) for name, value in (values or {}).items()
    }


def _text(item: Json, key: str) -> str:
    value = item[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} is missing")
    return value


def _number(word: Any) -> int:
    return int(word) if str(word).isdigit() else -1


def _said(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:120]
