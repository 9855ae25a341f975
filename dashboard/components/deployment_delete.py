"""Deleting a deployment, after its name was typed."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import confirm, deployment_notice, failures
from services.access import Role
from services.domain import Deployment


def show(deployment: Deployment) -> None:
    name = deployment.name
    agreed = confirm.show(
        "Delete…",
        key=f"health.delete-{name}",
        question=f"Delete {formats.plain(name)}?",
        consequence="Its address stops answering at once, and its keys and its log are gone. "
        f"The model **{formats.plain(deployment.model_id)}**, recorded telemetry and benchmark "
        "results stay.",
        verb="Delete",
        typed=name,
        role=Role.ADMIN,
    )
    if not agreed:
        return
    with failures.reported():
        session.workspace().deployments.delete(name)
        reads.clear()
        st.session_state.pop("deployment", None)
        deployment_notice.keep(f"{formats.plain(name)} was deleted.", icon=":material/delete:")
        st.rerun(scope="app")
