"""Settings: which workspace is open, what keeps it going, and what it runs on."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import choices, reads, session, shell, versions
from dashboard.components import (
    audit_table,
    empty,
    failures,
    page_header,
    settings_switch,
    settings_table,
    settings_workspace,
)

page_header.show("Settings", "Which workspace is open, what keeps it going, what it runs on")

with failures.explained():
    settings = choices.settings()


@st.fragment(run_every=shell.refresh_interval())
def components() -> None:
    """The parts of the workspace, as they are now."""
    with failures.explained():
        settings_workspace.show_components(reads.components(), read_at=datetime.now(UTC))


@st.fragment(run_every=shell.refresh_interval())
def changes() -> None:
    """The newest changes, whoever made them."""
    with failures.explained():
        events = reads.audit_events()
    if events:
        audit_table.show(events)
    else:
        empty.show(
            "Nothing has been changed yet. Register a dataset to begin.",
            page="dataset",
            label="Open Dataset",
        )


with failures.reported():
    workspace = session.workspace()
    left, right = st.columns(2)
    with left:
        settings_workspace.show(workspace)
    with right:
        components()

settings_tab, changes_tab, versions_tab, switch_tab = st.tabs(
    ["Settings", "Changes", "Versions", "Switch workspace"],
    key="part",
    bind="query-params",
    on_change="rerun",
)
if settings_tab.open:
    with settings_tab:
        settings_table.show(settings, choices.origins())
if changes_tab.open:
    with changes_tab:
        changes()
if versions_tab.open:
    with versions_tab:
        settings_table.show_versions(versions.installed())
if switch_tab.open:
    with switch_tab:
        settings_switch.show(settings)
