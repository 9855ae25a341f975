"""One published pipeline: its steps, its parameters, how to submit it, and its runs."""

from __future__ import annotations

from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, pipeline_facts, reads, session
from dashboard.components import (
    empty,
    failures,
    migration_code,
    pipeline_endpoint_form,
    pipeline_graph,
    pipeline_grid,
    pipeline_rest,
    pipeline_submit,
    schedule_form,
    state_badge,
)
from dashboard.components.pipeline_submit import Submission
from dashboard.pipeline_facts import Catalog
from services.domain import AssetStatus, PipelineKind, PublishedPipeline


def show(pipeline: PublishedPipeline, catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    with st.container(border=True, key="pipeline-view"):
        _header(pipeline, catalog)
        _standing(pipeline, catalog)
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            st.markdown("**Steps**")
            with failures.reported():
                pipeline_graph.show(reads.pipeline_graph(pipeline.id))
            st.markdown("**Parameters**")
            _parameters(pipeline)
        with right:
            pipeline_rest.show(
                pipeline.endpoint, pipeline_facts.experiment(pipeline), key="pipeline"
            )
    with st.container(border=True, key="pipeline-history"):
        st.markdown("**Run history**")
        runs = reads.pipeline_runs(pipeline_id=pipeline.id)
        if runs:
            pipeline_grid.show(runs, key="pipeline.grid", now=now, zone=zone)
        else:
            empty.show("It has not run yet. Run it now, schedule it, or POST to its address.")


def _header(pipeline: PublishedPipeline, catalog: Catalog) -> None:
    active = pipeline.status is AssetStatus.ACTIVE
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(formats.plain(catalog.title(pipeline.id)), anchor=False, width="content")
        state_badge.show(pipeline.status)
        if pipeline.kind is not PipelineKind.OTHER:
            st.badge(pipeline.kind.value, color="gray")
        st.space("stretch")
        migration_code.popover(
            "pipeline.submit",
            "pipeline.disable",
            "pipeline.enable",
            pipeline_id=pipeline.id,
            name=pipeline.name,
            experiment=pipeline_facts.experiment(pipeline),
        )
        st.button(
            "Run now",
            key="pipeline.run",
            icon=":material/play_arrow:",
            disabled=not active,
            on_click=pipeline_submit.ask,
            args=(Submission(pipeline_id=pipeline.id),),
        )
        st.button(
            "Schedule",
            key="pipeline.schedule",
            icon=":material/event_repeat:",
            disabled=not active,
            on_click=schedule_form.ask,
            kwargs={"pipeline_id": pipeline.id},
        )
        st.button(
            "Endpoint",
            key="pipeline.endpoint",
            icon=":material/alt_route:",
            on_click=pipeline_endpoint_form.ask,
            args=(pipeline.id,),
            help="Put it behind a stable address, new or existing",
        )
        _switch(pipeline)  # fmt: skip


def _switch(pipeline: PublishedPipeline) -> None:
    port = session.workspace().pipelines
    if pipeline.status is AssetStatus.ACTIVE:
        clicked = st.button(
            "Disable", key="pipeline.disable", icon=":material/pause:",
            help="Submissions are refused, from schedules and over REST too. "
            "Runs that have started go on.",
        )  # fmt: skip
        change = port.disable
    else:
        clicked = st.button("Enable", key="pipeline.enable", icon=":material/play_circle:")
        change = port.enable
    if clicked:
        with failures.reported():
            change(pipeline.id)
            reads.clear()
            st.rerun()


def _standing(pipeline: PublishedPipeline, catalog: Catalog) -> None:
    """What else there is to know in one line, and what a disabled pipeline leaves undone."""
    behind = [
        f"{endpoint.name} (version {version})"
        for endpoint in catalog.endpoints.values()
        for version, pipeline_id in endpoint.versions.items()
        if pipeline_id == pipeline.id
    ]
    parts = [f"Id {pipeline.id}"]
    if behind:
        parts.append("behind endpoint " + ", ".join(behind))
    if pipeline.description:
        parts.append(pipeline.description)
    st.caption(" · ".join(formats.plain(part) for part in parts))
    waiting = [
        each.name
        for each in reads.schedules()
        if each.status is AssetStatus.ACTIVE and catalog.behind(each) == pipeline
    ]
    if waiting and pipeline.status is AssetStatus.DISABLED:
        st.warning(
            f"Active schedules submit this disabled pipeline in vain: "
            f"{formats.plain(', '.join(waiting))}.",
            icon=":material/event_busy:",
        )


def _parameters(pipeline: PublishedPipeline) -> None:
    if not pipeline.parameters:
        st.caption("It has none: every run does the same.")
        return
    columns = {
        "Parameter": [each.name for each in pipeline.parameters],
        "Default": [each.default for each in pipeline.parameters],
        "Meaning": [each.description for each in pipeline.parameters],
    }
    if not any(columns["Meaning"]):
        del columns["Meaning"]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height="content",
        column_config={
            "Parameter": st.column_config.TextColumn("Parameter", width=180),
            "Default": st.column_config.TextColumn("Default", width=140),
        },
        alt="Parameters of the pipeline with their defaults",
        key="pipeline.parameters",
    )
