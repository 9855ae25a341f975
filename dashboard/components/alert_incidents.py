"""Incidents: the open ones with what can be done about each, and those that are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import pandas as pd
import streamlit as st

from dashboard import alert_reads, formats, navigation, reads, session
from dashboard.components import alert_look, empty, failures, table_height
from services.alerts.incidents import in_words
from services.alerts.records import Incident

SILENCES = {"1 hour": timedelta(hours=1), "1 day": timedelta(days=1), "1 week": timedelta(weeks=1)}
TITLES = {page.file: page.title for page in navigation.REGISTRY}
SHOWN, ROWS = 25, 12


def show(*, now: datetime, zone: tzinfo) -> None:
    """Draw both lists."""
    incidents = alert_reads.incidents()
    current = [each for each in incidents if each.open]
    over = [each for each in incidents if not each.open]
    if not current:
        st.markdown(":green[:material/check_circle:] No incident is open.")
    for incident in current[:SHOWN]:
        _open(incident, now=now, zone=zone)
    if len(current) > SHOWN:
        st.caption(f"and {len(current) - SHOWN} more, less urgent")
    st.markdown("**Resolved**")
    if over:
        _resolved(over, zone=zone)
    else:
        empty.show("Nothing was resolved yet. An incident that is over is listed here for 90 days.")


def _open(incident: Incident, *, now: datetime, zone: tzinfo) -> None:
    color, icon = alert_look.LOOKS[incident.severity]
    with st.container(border=True, gap="xsmall", key=f"incident-{incident.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":{color}[{icon}] **{formats.plain(incident.title)}**", width="content")
            since = incident.since or incident.opened_at
            st.badge(formats.age(since, now=now), color="gray", help=formats.utc(since))
            if incident.silent(now):
                until = formats.instant(incident.silenced_until, zone=zone, now=now)
                st.badge(f"silent until {until}", color="gray", icon=":material/notifications_off:")
            st.space("stretch")
            st.page_link(
                navigation.to(incident.page),
                label=f"Open {TITLES.get(incident.page, incident.page)}",
                icon=":material/arrow_forward:",
                query_params=dict(incident.address),
            )
            _acknowledge(incident)
            _silence(incident, now=now)
        if incident.detail:
            st.caption(formats.sentence(incident.detail))
        if incident.acknowledged_at is not None:
            when = formats.instant(incident.acknowledged_at, zone=zone, now=now)
            note = f": {formats.plain(incident.note)}" if incident.note else ""
            by = formats.plain(incident.acknowledged_by)
            st.caption(f":material/how_to_reg: Acknowledged by {by}, {when}{note}")


def _acknowledge(incident: Incident) -> None:
    if incident.acknowledged_at is not None:
        return
    with st.popover("Acknowledge", icon=":material/how_to_reg:", key=f"ack-{incident.id}"):
        note = st.text_input(
            "What is being done", key=f"ack-note-{incident.id}", max_chars=200,
            placeholder="Rolling back to version 3",
        )  # fmt: skip
        if st.button("Acknowledge", key=f"ack-yes-{incident.id}", type="primary"):
            with failures.reported():
                session.workspace().alerts.acknowledge(incident.id, note=note)
                reads.clear()
                st.rerun()


def _silence(incident: Incident, *, now: datetime) -> None:
    if incident.silent(now):
        if st.button("Show again", key=f"unsilence-{incident.id}"):
            _silence_until(incident, None)
        return
    chosen = st.menu_button(
        "Silence", list(SILENCES), key=f"silence-{incident.id}",
        icon=":material/notifications_off:",
    )  # fmt: skip
    if chosen is not None:
        _silence_until(incident, datetime.now(UTC) + SILENCES[chosen])


def _silence_until(incident: Incident, until: datetime | None) -> None:
    with failures.reported():
        session.workspace().alerts.silence(incident.id, until)
        reads.clear()
        st.rerun()


def _resolved(incidents: Sequence[Incident], *, zone: tzinfo) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "resolved": [each.resolved_at for each in incidents],
                "severity": [each.severity.value for each in incidents],
                "what": [each.title for each in incidents],
                "lasted": [
                    in_words(each.resolved_at - each.opened_at) if each.resolved_at else ""
                    for each in incidents
                ],
                "how": [each.resolution for each in incidents],
            }
        ),
        hide_index=True,
        height=table_height.of(len(incidents), at_most=ROWS),
        row_height=table_height.ROW_PX,
        column_config={
            "resolved": st.column_config.DatetimeColumn(
                "Resolved", format="D MMM, HH:mm:ss", timezone=str(zone), width="small"
            ),
            "severity": st.column_config.TextColumn("Severity", width="small"),
            "what": st.column_config.TextColumn("Incident", width="large"),
            "lasted": st.column_config.TextColumn("Lasted", width="small"),
            "how": st.column_config.TextColumn("Resolution", width="medium"),
        },
        alt="Incidents that are over: when, how serious, what, how long, and how they ended",
        key="alerts.resolved",
    )
