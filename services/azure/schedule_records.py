"""A schedule's JSON as a record, and a recurrence as JSON. Pure.

Source: azureml-pipeline-core 1.62.0, ``_AevaScheduleProvider`` and ``PipelineScheduleEntity``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services import recurrence as rules
from services.azure import pipeline_records as records
from services.azure.pipeline_records import Json
from services.domain import AssetStatus, Frequency, Recurrence, Schedule, WeekDay
from services.errors import InvalidRequestError
from services.time_zones import azure_name, iana_name

_FREQUENCIES = dict(enumerate(("Month", "Week", "Day", "Hour", "Minute")))
_DATA_TRIGGERED = ("1", "DataStore")
_PLACEHOLDER = Recurrence(frequency=Frequency.DAY)


def schedule(item: Json, *, now: datetime) -> Schedule:
    """The record; its recurrence may be one that this product cannot read."""
    submission: Json = item.get("PipelineSubmissionInfo") or {}
    status = records.asset_status(item.get("EntityStatus"))
    created = records.instant(item.get("CreatedDate"))
    changed = records.instant(item.get("LastModifiedDate"))
    saved = changed or created or now
    found, irregular = _recurrence(item)
    regular = status is AssetStatus.ACTIVE and not irregular
    due = rules.next_fires(found, anchored_at=saved, after=now, count=1) if regular else ()
    return Schedule(
        id=str(item["Id"]),
        name=str(item["Name"]),
        status=status,
        recurrence=found,
        experiment=str(submission.get("ExperimentName") or ""),
        pipeline_id=item.get("PipelineId") or None,
        pipeline_endpoint_id=item.get("PipelineEndpointId") or None,
        description=str(submission.get("Description") or ""),
        parameters=records.texts(submission.get("ParameterAssignments")),
        created_at=created,
        changed_at=changed,
        next_fire_at=due[0] if due else None,
        irregular=irregular,
    )


def unreadable(item: Json, said: str) -> Schedule:
    return Schedule(
        id=str(item.get("Id") or ""),
        name=str(item.get("Name") or item.get("Id") or "unreadable"),
        status=AssetStatus.UNKNOWN,
        recurrence=_PLACEHOLDER,
        experiment="",
        pipeline_id=None,
        irregular=said,
    )


def _recurrence(item: Json) -> tuple[Recurrence, str]:
    """The recurrence, or any one and why it says nothing."""
    if str(item.get("ScheduleType")) in _DATA_TRIGGERED:
        trigger: Json = item.get("DataStoreTriggerInfo") or {}
        path = trigger.get("PathOnDataStore")
        where = str(trigger.get("DataStoreName") or "a datastore") + (f"/{path}" if path else "")
        return _PLACEHOLDER, f"When data changes in {where}"
    try:
        found = read_recurrence(item["Recurrence"])
        rules.check(found)
    except (*records.UNREADABLE, InvalidRequestError) as error:
        said = str(error) if isinstance(error, InvalidRequestError) else "It cannot be read."
        return _PLACEHOLDER, f"Its recurrence is not shown. {said}"
    return found, ""


def read_recurrence(item: Json) -> Recurrence:
    """A recurrence with an IANA zone.

    Raises:
        InvalidRequestError: its time zone is none of Azure ML's.
        KeyError, TypeError, ValueError: it is none.
    """
    slots: Json = item.get("Schedule") or {}
    zone = iana_name(str(item.get("TimeZone") or "UTC"))
    return Recurrence(
        frequency=_frequency(item["Frequency"]),
        interval=int(item.get("Interval") or 1),
        start_time=_local(item.get("StartTime"), zone),
        time_zone=zone,
        hours=tuple(int(each) for each in slots.get("Hours") or ()),
        minutes=tuple(int(each) for each in slots.get("Minutes") or ()),
        week_days=tuple(_week_day(each) for each in slots.get("WeekDays") or ()),
    )


def write_recurrence(recurrence: Recurrence) -> dict[str, Any]:
    """As SDK v1 sends it: Windows zone name, slots only where there are any."""
    start = recurrence.start_time
    slots = {
        "Hours": list(recurrence.hours) or None,
        "Minutes": list(recurrence.minutes) or None,
        "WeekDays": [day.value for day in recurrence.week_days] or None,
    }
    return {
        "Frequency": recurrence.frequency.value,
        "Interval": recurrence.interval,
        "StartTime": start.isoformat(timespec="seconds") if start else None,
        "TimeZone": azure_name(recurrence.time_zone),
        "Schedule": slots if any(slots.values()) else None,
    }


def _local(text: Any, zone: str) -> datetime | None:
    """A start time is local to the zone; one with an offset is brought there."""
    if not text:
        return None
    at = datetime.fromisoformat(str(text))
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if at.tzinfo else at


def _frequency(word: Any) -> Frequency:
    return Frequency(_FREQUENCIES.get(_number(word), str(word)))


def _week_day(word: Any) -> WeekDay:
    number = _number(word)
    return tuple(WeekDay)[number] if number >= 0 else WeekDay(word)


def _number(word: Any) -> int:
    return int(word) if str(word).isdigit() else -1
