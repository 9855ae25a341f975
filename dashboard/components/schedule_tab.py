"""The schedules: all of them, and the one that is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

import streamlit as st

from dashboard import economy, reads
from dashboard.components import (
    empty,
    failures,
    on_request,
    pipeline_address,
    schedule_calendar,
    schedule_list,
    schedule_pause,
    schedule_view,
)
from dashboard.pipeline_facts import Catalog
from services.domain import Schedule

LAST_RUNS = "schedules.last-runs"  # what `economy` calls them


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    schedules = reads.schedules()
    if economy.wanted(LAST_RUNS):
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
    schedule_list.show(schedules, catalog, results=economy.wanted(LAST_RUNS), now=now, zone=zone)
    on_request.show(
        LAST_RUNS, "How each went last takes Azure a request per schedule.", "Look up last runs"
    )
    opened = pipeline_address.opened("schedule")
    chosen = next((each for each in schedules if each.id == opened), _usual(schedules))
    if chosen is None:
        st.caption("Choose a schedule to see its next times and its runs, or to change it.")
        return
    chosen = _told(chosen)
    schedule_calendar.show(schedules, chosen, now=now, zone=zone)
    schedule_view.show(chosen, catalog, now=now, zone=zone)


def _told(schedule: Schedule) -> Schedule:
    """It with its last run, which its own runs tell, and they are drawn anyway."""
    if schedule.last_run is not None:
        return schedule
    with failures.reported():
        runs = reads.pipeline_runs(schedule_id=schedule.id)
        return replace(schedule, last_run=runs[0] if runs else None)
    return schedule


def _usual(schedules: Sequence[Schedule]) -> Schedule | None:
    """The one that ran last, or the newest where none has run; none where that is not known."""
    if economy.first(schedules) is None:
        return None
    ran = {each.last_run.created_at: each for each in schedules if each.last_run}
    return ran[max(ran)] if ran else schedules[0]
