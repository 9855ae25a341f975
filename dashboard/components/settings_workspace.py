"""The open workspace: its name, where it is, and the parts that keep it going."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, shell
from dashboard.components import data_age, state_badge
from services.domain import Component
from services.ports import Workspace


def show(workspace: Workspace) -> None:
    """What is open, in a card."""
    with st.container(border=True, height="stretch", key="open-workspace"):
        st.markdown("**Workspace**")
        with st.container(horizontal=True, gap="large"):
            _fact("Name", workspace.name)
            _fact("Back end", workspace.backend)
        with st.container(gap="xxsmall"):
            st.caption("Folder" if workspace.backend == "local" else "Resource")
            st.markdown(formats.plain(workspace.location))


def _fact(label: str, value: str) -> None:
    with st.container(gap="xxsmall", width="content"):
        st.caption(label)
        st.markdown(formats.plain(value))


def show_components(components: Sequence[Component], *, read_at: datetime) -> None:
    """Each part with its state, since when, and what to do where it is not well."""
    with st.container(border=True, height="stretch", key="components"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**What keeps it going**")
            st.space("stretch")
            data_age.show(read_at)
        if not components:
            st.caption(
                "Azure keeps its own parts running. Whether they answer, the connection test under "
                "**Switch workspace** tells."
            )
        for component in components:
            with st.container(gap="xxsmall"):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(component.name.capitalize(), width="content")
                    st.space("stretch")
                    _since(component)
                    state_badge.show(component.state)
                if component.detail:
                    st.caption(formats.plain(component.detail))


def _since(component: Component) -> None:
    if component.since is None:
        return
    text = formats.instant(component.since, zone=shell.zone(), now=datetime.now(UTC))
    st.badge(f"since {text}", color="gray", help=formats.utc(component.since))
