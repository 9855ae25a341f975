"""The deployments that serve one model version, followed while they come up."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, navigation, reads, shell
from dashboard.components import failures, state_badge
from services.domain import Deployment, DeploymentState

LIVE_S = 1.0  # between looks while one is in transition
SHOWN = 6  # deployments of one version; those that are not well come first


def show(model_id: str) -> None:
    """Refreshes on its own until every deployment has settled; survives leaving the page."""
    moving = any(not each.state.settled for each in of(model_id, reads.deployments()))

    @st.fragment(run_every=LIVE_S if moving else shell.refresh_interval())
    def live() -> None:
        with failures.explained():
            serving = of(model_id, reads.deployments())
            if moving and all(each.state.settled for each in serving):
                st.rerun()  # once more, whole: the lineage changes too
            _card(serving)

    live()


def of(model_id: str, deployments: tuple[Deployment, ...]) -> tuple[Deployment, ...]:
    """Those that serve this version, newest first."""
    return tuple(each for each in deployments if each.model_id == model_id)


def _card(serving: tuple[Deployment, ...]) -> None:
    now = datetime.now(UTC)
    with st.container(border=True):
        st.markdown("**Deployments**")
        if not serving:
            st.caption("No deployment serves this version. Deploy it to score with it.")
        ordered = sorted(serving, key=lambda each: each.state is DeploymentState.HEALTHY)
        for deployment in ordered[:SHOWN]:
            _row(deployment, now=now)
        if more := ordered[SHOWN:]:
            st.page_link(
                navigation.to("deployment_health"),
                label=f"{formats.plural(len(more), 'more deployment')}, all healthy"
                if all(each.state is DeploymentState.HEALTHY for each in more)
                else formats.plural(len(more), "more deployment"),
                icon=":material/arrow_forward:",
                query_params={"deployment": more[0].name},
            )


def _row(deployment: Deployment, *, now: datetime) -> None:
    target = {"deployment": deployment.name}
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                navigation.to("deployment_health"),
                label=formats.plain(deployment.name),
                icon=":material/ecg_heart:",
                query_params=target,
                width="stretch",
                help="Its state, keys, log and API documentation",
            )
            st.caption(_since(deployment, now=now), width="content")
            state_badge.show(deployment.state)
        if deployment.state is DeploymentState.HEALTHY:
            st.page_link(
                navigation.to("live_scoring"),
                label="Score with it",
                icon=":material/bolt:",
                query_params=target,
            )
        if deployment.error:
            st.error(formats.sentence(deployment.error), icon=":material/error:")


def _since(deployment: Deployment, *, now: datetime) -> str:
    since = deployment.state_since or deployment.updated_at
    for_so_long = formats.duration(now - since)
    if not deployment.state.settled:
        return f"starting, {for_so_long}"
    return f"for {for_so_long}"
