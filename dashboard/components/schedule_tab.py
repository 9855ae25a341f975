"""The schedules: all of them, and the one that is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from dashboard import reads
from dashboard.components import (
    empty,
    failures,
    pipeline_address,
    schedule_calendar,
    schedule_list,
    schedule_pause,
    schedule_view,
)
from dashboard.pipeline_facts import Catalog
from services.domain import Schedule


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    schedules = reads.schedules()
    with failures.reported():  # without their last runs they are still a list
        schedules = reads.schedules_with_last_runs()
    if not schedules:
        empty.show(
            "No schedule yet. Create one with “New schedule”: it submits a published pipeline "
            "at the times you choose."
            if catalog.pipelines
            else "No schedule yet, and no pipeline to submit. Publish a pipeline first.",
            icon=":material/event_repeat:",
        )
        return
    schedule_pause.show(schedules, now=now, zone=zone)
    schedule_list.show(schedules, catalog, now=now, zone=zone)
    opened = pipeline_address.opened("schedule")
    chosen = next((each for each in schedules if each.id == opened), _usual(schedules))
    schedule_calendar.show(schedules, chosen, now=now, zone=zone)
    schedule_view.show(chosen, catalog, now=now, zone=zone)


def _usual(schedules: Sequence[Schedule]) -> Schedule:
    """The one that ran last, or the newest where none has run."""
    ran = {each.last_run.created_at: each for each in schedules if each.last_run}
    return ran[max(ran)] if ran else schedules[0]
