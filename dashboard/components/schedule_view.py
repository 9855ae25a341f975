"""One schedule: what it does and when, how its runs went, and what can be done about it."""

from __future__ import annotations

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import formats, reads, schedule_days, session
from dashboard.components import (
    confirm,
    empty,
    failures,
    migration_code,
    pipeline_grid,
    pipeline_submit,
    schedule_fires,
    schedule_form,
    schedule_ledger,
    schedule_pause,
    state_badge,
)
from dashboard.components.pipeline_submit import Submission
from dashboard.pipeline_facts import Catalog, upcoming, when
from services.access import Role
from services.domain import AssetStatus, Capability, Schedule


def show(schedule: Schedule, catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    with st.container(border=True, key="schedule-view"):
        _header(schedule)
        facts, times = st.columns([1, 1.25], gap="large")
        with facts:
            _facts(schedule, catalog, now=now, zone=zone)
        with times:
            st.markdown("**Next ten runs**" + _unless_active(schedule))
            if schedule.irregular:
                st.caption("Nobody can tell beforehand: no recurrence says when it fires.")
            else:
                _upcoming(schedule, now=now, zone=zone)
    with st.container(border=True, key="schedule-history"):
        st.markdown("**Run history**")
        runs = reads.pipeline_runs(schedule_id=schedule.id)
        exact = session.workspace().can(Capability.SCHEDULE_LEDGER)
        found = schedule_days.ledger(schedule, runs, now=now)
        schedule_ledger.show(schedule, found, exact=exact, zone=zone, now=now)
        if runs:
            pipeline_grid.show(runs, key="schedule.grid", now=now, zone=zone)
        else:
            empty.show("It has not run yet. Run it now, or wait for its next time.")


def _upcoming(schedule: Schedule, *, now: datetime, zone: tzinfo) -> None:
    schedule_fires.table(
        upcoming(schedule, now=now, count=schedule_fires.COUNT),
        schedule.recurrence,
        now=now,
        zone=zone,
        key="schedule.fires",
    )


def _unless_active(schedule: Schedule) -> str:
    return "" if schedule.status is AssetStatus.ACTIVE else " :gray[(once it is enabled)]"


def _header(schedule: Schedule) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(formats.plain(schedule.name), anchor=False, width="content")
        state_badge.show(schedule.status)
        st.space("stretch")
        st.button(
            "Run now",
            key="schedule.run",
            icon=":material/play_arrow:",
            on_click=pipeline_submit.ask,
            args=(
                Submission(
                    pipeline_id=schedule.pipeline_id or "",
                    endpoint_id=schedule.pipeline_endpoint_id or "",
                    experiment=schedule.experiment,
                    parameters=schedule.parameters,
                ),
            ),
        )
        st.button(
            "Edit",
            key="schedule.edit",
            icon=":material/edit:",
            on_click=schedule_form.ask,
            kwargs={"schedule_id": schedule.id},
        )
        _switch(schedule)
        migration_code.popover(
            "schedule.enable",
            "schedule.disable",
            "schedule.delete",
            schedule_id=schedule.id,
            name=schedule.name,
        )
        if session.workspace().can(Capability.DELETE_SCHEDULE) and confirm.show(
            "Delete",
            key="schedule.delete",
            question=f"Delete {formats.plain(schedule.name)}?",
            consequence="It will not fire again, and the record of its due times is gone. "
            "The runs it started stay, with their logs.",
            verb="Delete",
            role=Role.ADMIN,
        ):
            with failures.reported():
                session.workspace().schedules.delete(schedule.id)
                reads.clear()
                st.toast(f"{formats.plain(schedule.name)} is deleted.")
                st.rerun()  # fmt: skip


def _switch(schedule: Schedule) -> None:
    """On or off. Disabling says what it stops."""
    port = session.workspace().schedules
    if schedule.status is AssetStatus.ACTIVE:
        clicked = st.button(
            "Disable", key="schedule.disable", icon=":material/pause:",
            help="It stops firing; a run that has started goes on." + _kept(),
        )  # fmt: skip
        change = port.disable
    else:
        clicked = st.button(
            "Enable", key="schedule.enable", icon=":material/play_circle:",
            help="It fires from its next time on; times that passed are not made up for.",
        )  # fmt: skip
        change = port.enable
    if clicked:
        with failures.reported():
            change(schedule.id)
            reads.clear()
            st.rerun()


def _kept() -> str:
    if session.workspace().can(Capability.DELETE_SCHEDULE):
        return ""
    return " Azure ML keeps every schedule: it can be disabled, not deleted."


def _facts(schedule: Schedule, catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    rows = {
        "Recurrence": when(schedule),
        **_start(schedule),
        "Submits": catalog.target(schedule),
        "Experiment": schedule.experiment,
        "Created": formats.instant(schedule.created_at, zone=zone, now=now),
        "Last run": _last(schedule, now=now),
    }
    if schedule.pause is not None:
        rows["Paused"] = schedule_pause.sentence(schedule.pause, now=now, zone=zone)
    rows |= {f"`{name}`": value or "empty" for name, value in schedule.parameters.items()}
    if schedule.description:
        st.caption(formats.plain(schedule.description))
    for name, value in rows.items():
        label, content = st.columns([1, 2.6], gap="small")
        label.markdown(f":gray[{name}]")
        content.markdown(formats.plain(value))


def _start(schedule: Schedule) -> dict[str, str]:
    start = schedule.recurrence.start_time
    if schedule.irregular:
        return {}
    zone = schedule.recurrence.time_zone
    return {"Start": f"{start:%Y-%m-%d %H:%M} {zone}" if start else "when saved"}


def _last(schedule: Schedule, *, now: datetime) -> str:
    run = schedule.last_run
    return f"{run.status}, {formats.age(run.created_at, now=now)}" if run else "never"
