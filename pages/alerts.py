"""Alerts: what the workspace noticed by itself, by which rules, and who is told."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import alert_reads, session, shell
from dashboard.components import (
    alert_channel_form,
    alert_channels,
    alert_incidents,
    alert_quiet,
    alert_rules,
    data_age,
    empty,
    failures,
    page_header,
)
from services.domain import Capability

FOLLOW_EVERY_S = 1.0  # while a test is under way

page_header.show("Alerts", "What was noticed, by which rules, and who is told")

with failures.explained():
    if not session.workspace().can(Capability.ALERTS):
        empty.show("Nothing watches this workspace.")
        st.stop()
    alert_channel_form.show()
    testing = alert_channels.waiting()


def watched(now: datetime) -> None:
    """Whether somebody is looking at all; without that an empty list says nothing."""
    at, unanswered = alert_reads.evaluated()
    if at is None or now - at > alert_reads.stale_after():
        when = "have not been applied yet" if at is None else "are not being applied any more"
        st.warning(f"The rules {when}. {alert_reads.unwatched()}", icon=":material/visibility_off:")
    if at is not None:
        with st.container(horizontal=True):
            data_age.show(at, prefix="rules applied at")
    if unanswered:
        st.warning(
            f"Could not be looked at: {', '.join(unanswered)}. What was open there stays open.",
            icon=":material/cloud_off:",
        )


@st.fragment(run_every=FOLLOW_EVERY_S if testing else shell.refresh_interval() or 10.0)
def live() -> None:
    with failures.explained():
        if alert_channels.waiting() is not testing:
            st.rerun(scope="app")  # with another timer
        now, zone = datetime.now(UTC), shell.zone()
        if view == "Channels":
            alert_channels.show(now=now, zone=zone)
        else:
            watched(now)
            alert_incidents.show(now=now, zone=zone)


view = st.segmented_control(
    "View", ("Incidents", "Rules", "Channels", "Quiet hours"), default="Incidents", required=True,
    key="view", bind="query-params", label_visibility="collapsed",
)  # fmt: skip
with failures.explained():
    if view == "Rules":
        alert_rules.show()
    elif view == "Quiet hours":
        alert_quiet.show()
    else:
        live()
