"""Schedules on Azure that stand still until a time: disabled there, resumed from here.

Azure knows Active and Disabled only. Why one is Disabled, and until when, is kept in
`Pauses` before Azure is asked, so that nothing stands still for ever if this process dies
in between; at its time `resume_due`, which a watcher calls again and again, enables it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services import pauses as rules
from services.azure.connection import Journal
from services.azure.pipeline_records import Json
from services.azure.schedule_entities import ScheduleEntities, name_of, provisioned, status_of
from services.domain import AssetStatus, Schedule
from services.errors import NotFoundError, OperationFailedError, ServiceError, UnavailableError
from services.pauses import Ending, KeptPause, Pauses

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(seconds=30)  # a resume that Azure refused
HEARD_WITHIN = timedelta(minutes=1)  # until every answer of Azure knows that it is Disabled


class SchedulePauses:
    def __init__(
        self,
        entities: ScheduleEntities,
        kept: Pauses,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._entities, self._kept, self._journal = entities, kept, journal
        self._clock = clock

    def begin(
        self, schedule_ids: Sequence[str], *, reason: str, until: datetime
    ) -> tuple[str, ...]:
        """One request to look each up, and one more for each that is Active.

        Raises:
            OperationFailedError: some are paused and the others are not, and why.
        """
        rules.check(reason, until, now=self._clock())
        found = self._entities.all(list(dict.fromkeys(schedule_ids)))
        paused = self._kept.open()
        wanted = {
            str(entity["Id"]): entity
            for entity in sorted(found, key=_active)  # those that are paused need no request
            if _active(entity) or entity["Id"] in paused
        }
        names = {schedule_id: name_of(entity) for schedule_id, entity in wanted.items()}
        begun = self._kept.begin(names, reason=reason, until=until)
        for number, each in enumerate(begun):
            try:
                self._disable(wanted[each.schedule_id], each)
            except ServiceError as error:
                unheard = number if not isinstance(error, UnavailableError) else number + 1
                for other in begun[unheard:]:
                    self._kept.end(other.id, Ending.REFUSED)
                if not number:
                    raise
                raise OperationFailedError(
                    f"{number} of {len(begun)} schedules are paused; “{each.name}” and those "
                    f"after it are not: {error}"
                ) from error
            self._note(each, wanted[each.schedule_id], paused.get(each.schedule_id))
        return tuple(each.schedule_id for each in begun)

    def over(self, schedule_id: str, ending: Ending) -> None:
        """Somebody decided otherwise: what becomes of the schedule is no longer the pause's."""
        if (kept := self._kept.open().get(schedule_id)) is not None:
            self._kept.end(kept.id, ending)

    def open(self) -> Mapping[str, KeptPause]:
        """To be asked for before the schedules are."""
        return self._kept.open()

    def shown(self, schedule: Schedule, kept: KeptPause | None) -> Schedule:
        """With the pause it is in. One that somebody enabled elsewhere is in none any more."""
        if kept is None:
            return schedule
        if schedule.status is AssetStatus.DISABLED:
            return replace(schedule, pause=kept.pause)
        now = self._clock()
        heard = kept.disabled_at is not None and now - kept.disabled_at > HEARD_WITHIN
        if heard and schedule.status is AssetStatus.ACTIVE and now < kept.pause.until:
            self._kept.end(kept.id, Ending.ENABLED)
        return schedule

    def resume_due(self) -> tuple[str, ...]:
        """Enable what was paused until now or earlier; the names. What Azure refuses is kept
        with the reason, and tried again.

        Two requests for each; one where somebody was faster.
        """
        now, resumed = self._clock(), []
        for kept in self._kept.open().values():
            if kept.pause.until > now or _tried_lately(kept, now) or not self._kept.claim(kept):
                continue
            try:
                if self._resume(kept):
                    resumed.append(kept.name)
            except NotFoundError:
                self._kept.end(kept.id, Ending.GONE)
            except ServiceError as error:
                log.warning("schedule %s could not be resumed: %s", kept.name, error)
                self._kept.hold(kept.id, str(error))
        if resumed:
            log.info("resumed %s", ", ".join(resumed))
        return tuple(resumed)

    def _resume(self, kept: KeptPause) -> bool:
        """Whether it was this caller who did."""
        entity = self._entities.get(kept.schedule_id)
        if _active(entity) and provisioned(entity):
            return self._kept.end(kept.id, _ending_of_active(kept)) and kept.tried_at is not None
        self._entities.set_status(entity, AssetStatus.ACTIVE)
        if self._kept.end(kept.id, Ending.RESUMED, until=kept.pause.until):
            return True
        latest = self._kept.of(kept.schedule_id)[0]
        if latest.ending in (None, Ending.DISABLED):  # decided while Azure was asked
            self._entities.set_status(self._entities.get(kept.schedule_id), AssetStatus.DISABLED)
        return False

    def _disable(self, entity: Json, kept: KeptPause) -> None:
        if _active(entity):
            self._entities.set_status(entity, AssetStatus.DISABLED)
            self._kept.disabled(kept.id)

    def _note(self, kept: KeptPause, entity: Json, before: KeptPause | None) -> None:
        self._journal.record(
            "schedule.pause",
            f"schedule/{kept.name}",
            before={"status": status_of(entity)}
            | ({"until": before.pause.until} if before else {}),
            after={
                "status": AssetStatus.DISABLED,
                "until": kept.pause.until,
                "reason": kept.pause.reason,
            },
        )


def _active(entity: Json) -> bool:
    return status_of(entity) is AssetStatus.ACTIVE


def _tried_lately(kept: KeptPause, now: datetime) -> bool:
    return kept.tried_at is not None and abs(now - kept.tried_at) < AGAIN_AFTER


def _ending_of_active(kept: KeptPause) -> Ending:
    """Of one found Active: by whom, as far as is known."""
    if kept.tried_at is not None:
        return Ending.RESUMED  # by an attempt whose answer nobody heard
    return Ending.ENABLED if kept.disabled_at is not None else Ending.REFUSED
