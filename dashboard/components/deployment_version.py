"""Putting another model version behind a deployment's address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import (
    confirm,
    deployment_elsewhere,
    deployment_notice,
    failures,
    migration_code,
)
from services.domain import Deployment, Model, split_id


def show(deployment: Deployment, models: Sequence[Model]) -> None:
    with st.container(border=True, key="health-version"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Model version**", width="content")
            st.space("stretch")
            behind = newer(deployment, models) if deployment.model_id else 0
            if behind:
                st.badge(f"Behind by {behind}", color="orange", icon=":material/history:")
        if not deployment.model_id:
            st.caption("Which model it serves is not known: the back end does not say.")
            return
        st.caption(f"Serves {formats.plain(deployment.model_id)}.")
        others = [each for each in models if each.id != deployment.model_id]
        if not others:
            st.caption("No other model is registered.")
            return
        _choice(deployment, others)


def newer(deployment: Deployment, models: Sequence[Model]) -> int:
    """How many later versions of its model are registered."""
    name, version = split_id("model", deployment.model_id)
    return sum(each.name == name and each.version > version for each in models)


def _choice(deployment: Deployment, others: Sequence[Model]) -> None:
    own = split_id("model", deployment.model_id)[0]
    ordered = sorted(others, key=lambda each: (each.name != own, each.name, -each.version))
    by_id = {each.id: each for each in ordered}
    chosen = st.selectbox(
        "Serve instead",
        list(by_id),
        format_func=lambda model_id: _label(by_id[model_id]),
        key=f"health.version-{deployment.name}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        agreed = confirm.show(
            "Update…",
            key=f"health.update-{deployment.name}",
            question=f"Serve {formats.plain(str(chosen))}?",
            consequence=f"**{formats.plain(deployment.name)}** answers with "
            f"{formats.plain(str(chosen))} as soon as it is loaded, and with "
            f"{formats.plain(deployment.model_id)} until then; "
            f"{deployment_elsewhere.update_note()}",
            verb="Update",
            icon=":material/upgrade:",
            disabled=not deployment.state.settled,
        )
        name, version = split_id("model", str(chosen))
        migration_code.popover(
            "deployment.update", name=deployment.name, model=name, version=version
        )
    if agreed and chosen is not None:
        with failures.reported():
            session.workspace().deployments.begin_update(deployment.name, model_id=chosen)
            reads.clear()
            deployment_notice.keep(f"Updating to {formats.plain(chosen)}…", icon=":material/sync:")
            st.rerun(scope="app")


def _label(model: Model) -> str:
    return f"{model.id} · {model.algorithm}" if model.algorithm else model.id
