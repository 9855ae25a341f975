"""The published pipelines and endpoints: all of them, and the one that is open."""

from __future__ import annotations

from datetime import datetime, tzinfo

import streamlit as st

from dashboard import economy, reads, session
from dashboard.components import (
    empty,
    failures,
    on_request,
    pipeline_address,
    pipeline_endpoint_view,
    pipeline_from_code,
    pipeline_list,
    pipeline_publish,
    pipeline_view,
    schedule_form,
)
from dashboard.pipeline_facts import Catalog
from services.domain import Capability, PipelineRun, Schedule

USES = "pipelines.uses"  # what `economy` calls schedules and runs of all of them


def actions() -> None:
    """What can be begun from anywhere on the page."""
    if session.workspace().can(Capability.PUBLISH_PIPELINE):
        st.button(
            "Publish pipeline", key="pipelines.publish", icon=":material/publish:",
            on_click=pipeline_publish.ask, args=(pipeline_publish.RETRAINING,),
        )  # fmt: skip
    st.button(
        "New schedule", key="schedules.new", type="primary", icon=":material/add:",
        on_click=schedule_form.ask,
    )  # fmt: skip


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    if not catalog.pipelines and not session.workspace().can(Capability.PUBLISH_PIPELINE):
        empty.show(
            "No pipeline is published in this workspace yet. Azure ML publishes from code; what "
            "is published there is listed, run and scheduled here.",
            icon=":material/account_tree:",
        )
        pipeline_from_code.show()
        return
    if not catalog.pipelines:
        empty.show(
            "No pipeline is published yet. “Publish pipeline” makes retraining repeatable: "
            "a dataset, AutoML, and a registered model.",
            icon=":material/account_tree:",
        )
        return
    runs: tuple[PipelineRun, ...] | None = None
    schedules: tuple[Schedule, ...] | None = None
    if economy.wanted(USES):
        with failures.reported():  # without their last results they are still a list
            schedules = reads.schedules()
            runs = reads.pipeline_runs()
    pipeline_list.show(catalog, schedules, runs, now=now, zone=zone)
    on_request.show(
        USES,
        "What schedules them and how each went last takes Azure a request per pipeline.",
        "Look them up",
    )
    if not session.workspace().can(Capability.PUBLISH_PIPELINE):
        pipeline_from_code.show()
    if catalog.endpoints:
        st.markdown("**Pipeline endpoints**")
        pipeline_list.endpoints(catalog)
    endpoint = catalog.endpoints.get(pipeline_address.opened("endpoint") or "")
    if endpoint is not None:
        pipeline_endpoint_view.show(endpoint, catalog)
        return
    opened = catalog.pipelines.get(pipeline_address.opened("pipeline") or "")
    chosen = opened or economy.first(list(catalog.pipelines.values()))
    if chosen is None:
        st.caption("Choose a pipeline to see its steps, its parameters and its runs.")
        return
    pipeline_view.show(chosen, catalog, now=now, zone=zone)
