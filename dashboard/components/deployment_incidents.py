"""What is wrong with one deployment just now, as the watcher noticed it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard import alert_reads, formats, session
from dashboard.components import alert_look
from services.domain import Capability


def show(deployment: str, *, now: datetime) -> None:
    """A line per open incident; nothing when there is none."""
    if not session.workspace().can(Capability.ALERTS):
        return
    for incident in alert_reads.incidents():
        about = incident.address.get("deployment") == deployment
        if not incident.open or not about or incident.silent(now):
            continue
        color, icon = alert_look.LOOKS[incident.severity]
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key=f"about-{incident.id}"
        ):
            st.markdown(f":{color}[{icon}] **{formats.plain(incident.title)}**", width="content")
            if incident.detail:
                st.caption(formats.sentence(incident.detail), width="stretch")
            since = incident.since or incident.opened_at
            st.badge(formats.age(since, now=now), color="gray", help=formats.utc(since))
