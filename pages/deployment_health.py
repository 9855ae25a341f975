"""Deployment health: is it up, who may call it, what does it say about itself?"""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, session, shell
from dashboard.components import (
    deployment_archive,
    deployment_core,
    deployment_details,
    deployment_diagnosis,
    deployment_documentation,
    deployment_golden,
    deployment_header,
    deployment_history,
    deployment_incidents,
    deployment_keys,
    deployment_log,
    deployment_notice,
    deployment_picker,
    deployment_probe,
    deployment_rotation,
    deployment_table,
    deployment_telemetry,
    deployment_tracker,
    deployment_version,
    empty,
    failures,
    page_header,
)
from services.domain import Deployment

OVERVIEW, DOCUMENTATION, LOG = "Overview", "API documentation", "Log"
FOLLOW_EVERY_S = 1.0  # while something is in transition

deployment_notice.show()
place = page_header.show("Deployment health", "Is it up, who may call it, what does it answer?")

with failures.explained():
    deployments = reads.deployments()
    if not deployments:
        empty.show(
            "Nothing is deployed yet. Choose a model and deploy it; it then appears here.",
            page="models",
            label="Open Models",
        )
        st.stop()
    with place:
        name = deployment_picker.show(deployments, width=260).name
    port = session.workspace().deployments
    moving = not reads.deployment(name).state.settled


def overview(deployment: Deployment) -> None:
    now, zone = datetime.now(UTC), shell.zone()
    left, right = st.columns([3, 2], gap="small")
    with left:
        deployment_details.show(deployment, now=now, zone=zone)
        deployment_core.show(deployment)
        deployment_history.show(port.transitions(name), zone=zone)
    with right:
        deployment_telemetry.show(deployment)
        deployment_probe.show(deployment, now=now, zone=zone)
        deployment_keys.show(deployment)
        deployment_rotation.show(deployment)
        with failures.reported():
            deployment_version.show(deployment, reads.models())


@st.fragment(run_every=FOLLOW_EVERY_S if moving else shell.refresh_interval())
def health() -> None:
    """Follows a transition on its own; once it has settled, the page is drawn once more."""
    with failures.explained():
        deployment, now = reads.deployment(name), datetime.now(UTC)
        if deployment.state.settled is moving:
            reads.clear()
            st.rerun(scope="app")
        listed = reads.deployments()
        if deployment_table.show(listed, chosen=name, zone=shell.zone()) != name:
            st.rerun(scope="app")  # another row was chosen
        deployment_header.show(deployment, now=now, zone=shell.zone())
        held_back = deployment_golden.show(deployment)
        deployment_incidents.show(name, now=now)
        if not held_back:  # then the cause is known
            deployment_diagnosis.show(deployment, now=now)
        if moving:
            own, every = port.transitions(name), port.transitions()
            deployment_tracker.show(deployment, own, every, reads.deployment_log(name, 20), now=now)
        view = st.segmented_control(
            "View", (OVERVIEW, DOCUMENTATION, LOG), default=OVERVIEW, required=True, key="view",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        if view == LOG:
            tail = reads.deployment_log(name, deployment_log.LIMIT)
            deployment_log.show(name, tail, zone=shell.zone())
            deployment_archive.show(name, tail, zone=shell.zone())
        elif view == DOCUMENTATION:
            deployment_documentation.show(deployment)
        else:
            overview(deployment)


health()
