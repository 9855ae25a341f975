"""One pipeline endpoint: its versions, which is the default, and how to submit it."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import (
    failures,
    migration_code,
    pipeline_graph,
    pipeline_rest,
    pipeline_submit,
    state_badge,
)
from dashboard.components.pipeline_submit import Submission
from dashboard.pipeline_facts import Catalog
from services.domain import AssetStatus, PipelineEndpoint


def show(endpoint: PipelineEndpoint, catalog: Catalog) -> None:
    with st.container(border=True, key="endpoint-view"):
        _header(endpoint)
        st.caption(f"Id {endpoint.id}")
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            _default(endpoint, catalog)
            if pipeline := catalog.behind_endpoint(endpoint.id):
                with failures.reported():
                    pipeline_graph.show(reads.pipeline_graph(pipeline.id))
        with right:
            pipeline_rest.show(endpoint.endpoint, endpoint.name, key="endpoint")


def _header(endpoint: PipelineEndpoint) -> None:
    active = endpoint.status is AssetStatus.ACTIVE
    port = session.workspace().pipelines
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(formats.plain(endpoint.name), anchor=False, width="content")
        state_badge.show(endpoint.status)
        st.space("stretch")
        migration_code.popover(
            "pipeline_endpoint.set_default_version",
            name=endpoint.name,
            version=endpoint.default_version,
        )
        st.button(
            "Run now",
            key="endpoint.run",
            icon=":material/play_arrow:",
            disabled=not active,
            on_click=pipeline_submit.ask,
            args=(Submission(endpoint_id=endpoint.id),),
        )
        label, icon = ("Disable", "pause") if active else ("Enable", "play_circle")
        if st.button(label, key="endpoint.switch", icon=f":material/{icon}:"):
            with failures.reported():
                (port.disable_endpoint if active else port.enable_endpoint)(endpoint.id)
                reads.clear()
                st.rerun()  # fmt: skip


def _default(endpoint: PipelineEndpoint, catalog: Catalog) -> None:
    """The versions, and the choice of the one that is submitted."""

    def label(version: str) -> str:
        return f"Version {version}: {catalog.title(endpoint.versions[version])}"

    versions = sorted(endpoint.versions, key=_number, reverse=True)
    if endpoint.default_version not in versions:
        st.caption(formats.plain(endpoint.description) or "It has no version to submit.")
        return
    chosen = st.radio(
        "Default version", versions, versions.index(endpoint.default_version),
        key=f"endpoint.version-{endpoint.id}-{endpoint.default_version}", format_func=label,
    )  # fmt: skip
    if chosen != endpoint.default_version and st.button(
        "Make it the default", key="endpoint.default", type="primary"
    ):
        with failures.reported():
            session.workspace().pipelines.set_default_version(endpoint.id, chosen)
            reads.clear()
            st.rerun()


def _number(version: str) -> int:
    return int(version) if version.isdigit() else -1
