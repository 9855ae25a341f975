"""Schedules of Azure's pipelines service, read and put back whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from services.azure import pipeline_records as records
from services.azure import schedule_records
from services.azure.pipelines_service import PipelinesService, RefusedError
from services.domain import AssetStatus, Schedule
from services.errors import NotFoundError, OperationFailedError
from services.schedule_changes import Change, Changes, with_past

KIND = "schedule"
_NOT_PROVISIONED = ("2", "Failed")


class ScheduleEntities:
    """SDK v1 would rebuild an entity, and lose what it does not know; here it goes back as it
    came, but for what was asked for."""

    def __init__(
        self, service: PipelinesService, changes: Changes, clock: Callable[[], datetime]
    ) -> None:
        self._service, self._changes, self._clock = service, changes, clock

    def record(self, item: records.Json) -> Schedule:
        return schedule_records.schedule(item, now=self._clock())

    def with_pasts(self, schedules: Iterable[Schedule]) -> list[Schedule]:
        """Each with what is known of it before its last change; no request."""
        changes = self._changes.all()
        return [with_past(each, changes.get(each.id, ())) for each in schedules]

    def get(self, schedule_id: str) -> records.Json:
        answer = self._service.get(f"Schedules/{schedule_id}", KIND, schedule_id)
        return records.entity(answer, KIND)

    def all(self, schedule_ids: Sequence[str]) -> list[records.Json]:
        """One request each, side by side.

        Raises:
            NotFoundError: which of them there is not.
        """
        asked = [partial(self._found, each) for each in schedule_ids]
        found = self._service.all(KIND, "", asked)
        for schedule_id, answer in zip(schedule_ids, found, strict=True):
            if answer is None:
                raise NotFoundError(KIND, schedule_id)
        return [records.entity(answer, KIND) for answer in found]

    def put(self, entity: records.Json, changes: Mapping[str, Any]) -> Schedule:
        schedule_id = str(entity["Id"])
        path = f"Schedules/{schedule_id}"
        answer = self._service.put(path, {**entity, **changes}, KIND, schedule_id)
        self._note(entity, answer, same_recurrence="Recurrence" not in changes)
        return self.saved(answer)

    def set_status(self, entity: records.Json, status: AssetStatus) -> None:
        self.put(entity, {"EntityStatus": status.value})

    def saved(self, answer: Any) -> Schedule:
        saved = records.one(answer, KIND, self.record)
        if not provisioned(answer):
            raise OperationFailedError(
                f"Azure ML saved the schedule “{saved.name}” but could not set up its timer; "
                "save it again, or disable it."
            )
        return saved

    def _note(self, before: records.Json, answer: Any, *, same_recurrence: bool) -> None:
        after = records.entity(answer, KIND)
        was_changed_at, changed_at = _changed_at(before), _changed_at(after)
        if was_changed_at is not None and changed_at is not None:
            self._changes.record(
                Change(
                    schedule_id=str(before["Id"]),
                    was_changed_at=was_changed_at,
                    changed_at=changed_at,
                    was_active=status_of(before) is AssetStatus.ACTIVE,
                    same_recurrence=same_recurrence,
                )
            )

    def _found(self, schedule_id: str) -> Any:
        try:
            return self._service.send("GET", f"Schedules/{schedule_id}")
        except RefusedError as error:
            if error.status_code == 404:
                return None
            raise


def provisioned(entity: records.Json) -> bool:
    """Whether its timer could be set up."""
    return str(entity.get("ProvisioningStatus")) not in _NOT_PROVISIONED


def _changed_at(entity: records.Json) -> datetime | None:
    try:
        return records.instant(entity.get("LastModifiedDate") or entity.get("CreatedDate"))
    except records.UNREADABLE:  # then its past is not known, and nothing else is lost
        return None


def status_of(entity: records.Json) -> AssetStatus:
    return records.asset_status(entity.get("EntityStatus"))


def name_of(entity: records.Json) -> str:
    return str(entity.get("Name") or entity["Id"])
