"""Pipeline schedules: what is published, when it runs, and what came of it."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, shell, side_by_side
from dashboard.components import (
    failures,
    page_header,
    pipeline_address,
    pipeline_batch,
    pipeline_endpoint_form,
    pipeline_publish,
    pipeline_pulse,
    pipeline_retraining,
    pipeline_runs,
    pipeline_submit,
    pipeline_supervisor,
    pipeline_tab,
    retraining_loop,
    schedule_form,
    schedule_tab,
)
from dashboard.pipeline_facts import Catalog

AHEAD = {  # what a view lists, beside the pipelines that all of them name
    pipeline_address.SCHEDULES: (reads.schedules,),
    pipeline_address.PIPELINES: (reads.pipeline_endpoints,),
}

pipeline_address.arrive()
with page_header.show(
    "Pipeline schedules", "Published pipelines, when they run, and what came of it"
):
    pipeline_tab.actions()

with failures.explained():
    now, zone = datetime.now(UTC), shell.zone()
    side_by_side.ahead(reads.pipelines, *AHEAD.get(pipeline_address.view(), ()))
    catalog = Catalog.asking(reads.pipelines(), reads.pipeline_endpoints)
    for dialog in (schedule_form, pipeline_submit, pipeline_endpoint_form):
        dialog.show(catalog)
    pipeline_publish.show()
    pipeline_supervisor.show()
    pipeline_pulse.show()
    schedules, pipelines, runs, retraining, batch = st.tabs(
        list(pipeline_address.VIEWS), key=pipeline_address.VIEW, bind="query-params"
    )
    if schedules.open:
        with schedules:
            schedule_tab.show(catalog, now=now, zone=zone)
    if pipelines.open:
        with pipelines:
            pipeline_tab.show(catalog, now=now, zone=zone)
    if runs.open:
        with runs:
            pipeline_runs.show(catalog, now=now, zone=zone)
    if retraining.open:
        with retraining:
            chosen = pipeline_retraining.show(catalog, now=now, zone=zone)
            retraining_loop.show(chosen, now=now, zone=zone)
    if batch.open:
        with batch:
            pipeline_batch.show(catalog, now=now, zone=zone)
