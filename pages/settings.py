"""Settings: which workspace is open, what keeps it going, and what it runs on."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, session, shell, versions
from dashboard.components import (
    audit_table,
    empty,
    failures,
    page_header,
    settings_azure,
    settings_table,
    settings_workspace,
)
from dashboard.settings import Settings

page_header.show("Settings", "Which workspace is open, what keeps it going, what it runs on")

with failures.explained():
    workspace = session.workspace()
settings = Settings.from_env()


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


left, right = st.columns(2)
with left:
    settings_workspace.show(workspace)
with right:
    components()

settings_tab, changes_tab, versions_tab, azure_tab = st.tabs(
    ["Settings", "Changes", "Versions", "Azure workspace"],
    key="part",
    bind="query-params",
    on_change="rerun",
)
if settings_tab.open:
    with settings_tab:
        settings_table.show(settings)
if changes_tab.open:
    with changes_tab:
        changes()
if versions_tab.open:
    with versions_tab:
        settings_table.show_versions(versions.installed())
if azure_tab.open:
    with azure_tab:
        settings_azure.show(settings.workspace_config)
