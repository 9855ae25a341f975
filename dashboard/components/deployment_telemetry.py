"""Application Insights of one deployment: on or off, changed after a question, read back."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, navigation, reads, session
from dashboard.components import (
    confirm,
    deployment_elsewhere,
    deployment_notice,
    failures,
    migration_code,
)
from services.domain import Deployment

_ON = (
    "Every scoring request is recorded from then on: when, how long, its result, the rows sent and "
    "the answer. Do not turn it on where the rows may not be kept."
)
_OFF = "Requests are not recorded any more. What was recorded stays."


def show(deployment: Deployment) -> None:
    on, name = deployment.telemetry_enabled, deployment.name
    with st.container(border=True, key="health-telemetry"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Application Insights**", width="content")
            st.space("stretch")
            st.badge(
                "On" if on else "Off",
                color="green" if on else "gray",
                help="Read back from the deployment, not remembered here",
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            agreed = confirm.show(
                "Turn off…" if on else "Turn on…",
                key=f"health.telemetry-{name}",
                question=f"Turn Application Insights {'off' if on else 'on'}?",
                consequence=f"{_OFF if on else _ON} **{formats.plain(name)}** passes through "
                f"Transitioning{deployment_elsewhere.restart_note()}.",
                verb="Turn off" if on else "Turn on",
                icon=":material/toggle_off:" if on else ":material/toggle_on:",
                disabled=not deployment.state.settled,
            )
            migration_code.popover("deployment.telemetry", name=name, on=not on)
            if on:
                st.page_link(
                    navigation.to("app_insights"),
                    label="Open its metrics",
                    icon=":material/monitoring:",
                    query_params={"deployment": name},
                    width="content",
                )
    if agreed:
        _switch(name, not on)


def _switch(name: str, on: bool) -> None:
    with failures.reported():
        session.workspace().deployments.begin_update(name, telemetry=on)
        reads.clear()
        word = "on" if on else "off"
        deployment_notice.keep(f"Turning Application Insights {word}…", icon=":material/sync:")
        st.rerun(scope="app")
