"""One deployment at a glance: its state in Azure's word, since when, and where to go from here."""

from __future__ import annotations

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import formats, navigation, people, reads, session
from dashboard.components import deployment_delete, failures, migration_code, state_badge
from services.access import Role
from services.domain import Deployment, DeploymentState

_MEANING = {
    DeploymentState.TRANSITIONING: "A creation or an update is being carried out.",
    DeploymentState.HEALTHY: "It answers its health check and can score.",
    DeploymentState.UNHEALTHY: "It is deployed, but does not answer at the moment.",
    DeploymentState.FAILED: "It was given up. Its log says why; an update tries again.",
    DeploymentState.UNKNOWN: "The back end reports a state this dashboard does not know.",
}
_ELSEWHERE = (
    ("live_scoring", "Score", ":material/bolt:"),
    ("app_insights", "Metrics", ":material/monitoring:"),
    ("benchmark_results", "Benchmark", ":material/speed:"),
)


def show(deployment: Deployment, *, now: datetime, zone: tzinfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(formats.plain(deployment.name), anchor=False, width="content")
        state_badge.show(deployment.state, help=_MEANING[deployment.state])
        st.caption(_since(deployment, now=now, zone=zone), width="content")
        st.space("stretch")
        for page, label, icon in _ELSEWHERE:
            st.page_link(
                navigation.to(page),
                label=label,
                icon=icon,
                query_params={"deployment": deployment.name},
                width="content",
            )
        migration_code.popover("deployment.read", "deployment.delete", name=deployment.name)
        deployment_delete.show(deployment)
    if deployment.description:
        st.caption(formats.plain(deployment.description))
    if deployment.error:
        _trouble(deployment)


def _since(deployment: Deployment, *, now: datetime, zone: tzinfo) -> str:
    since = deployment.state_since
    if since is None:
        return ""
    exact = formats.instant(since, zone=zone, now=now)
    return f"for {formats.duration(now - since)}, since {exact}"


def _trouble(deployment: Deployment) -> None:
    """A sentence of the back end, as loud as the state, and the way on."""
    if deployment.state is not DeploymentState.FAILED:
        st.warning(formats.sentence(deployment.error), icon=":material/warning:")
        return
    st.error(formats.sentence(deployment.error), icon=":material/error:")
    again = people.may(Role.OPERATOR) and st.button(
        "Try again",
        key=f"health.again-{deployment.name}",
        icon=":material/restart_alt:",
        help="Starts its server anew with the same model",
    )
    if again:
        with failures.reported():
            session.workspace().deployments.begin_update(
                deployment.name, model_id=deployment.model_id
            )
            reads.clear()
            st.rerun(scope="app")
