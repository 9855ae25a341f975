"""Runs of every pipeline: filtered, newest first, one open at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import economy, formats, pipeline_facts, reads
from dashboard.components import empty, pipeline_address, pipeline_run, state_badge
from dashboard.pipeline_facts import Catalog
from services.domain import PipelineRun, RunStatus

EVERY = "All pipelines"
GROUPS = {
    "Active": tuple(status for status in RunStatus if not status.settled),
    "Completed": (RunStatus.COMPLETED,),
    "Failed": (RunStatus.FAILED, RunStatus.NOT_RESPONDING),
    "Canceled": (RunStatus.CANCELED,),
}
TALL, TALL_HEIGHT = 14, 530  # rows from which the table scrolls, pixels it then has


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    """Draw the open run, the filters and the table."""
    every = () if economy.metered() else reads.pipeline_runs()
    if not (catalog.pipelines if economy.metered() else every):
        empty.show("No pipeline has run yet. Run one now, or schedule it.")
        return
    opened = pipeline_address.opened("run")
    if opened is not None:
        pipeline_run.show(opened)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pipeline = st.selectbox(
            "Pipeline",
            _choices(catalog, every),
            key="of",
            bind="query-params",
            width=320,
            format_func=lambda each: EVERY if each == EVERY else catalog.title(each),
            help="On Azure the runs of all pipelines take a request for each of them"
            if economy.metered()
            else None,
        )
        statuses = st.pills(
            "Status", list(GROUPS), selection_mode="multi", key="status", bind="query-params"
        )  # fmt: skip
    runs = every
    if economy.metered():
        runs = reads.pipeline_runs(None if pipeline == EVERY else pipeline)
        if not runs:
            empty.show("It has not run yet. Run it now, schedule it, or choose another pipeline.")
            return
    found = matching(runs, pipeline=pipeline, statuses=statuses)
    st.caption(
        formats.plural(len(found), "run")
        + (f" of {formats.count(len(runs))}" if len(found) < len(runs) else "")
    )
    if not found:
        empty.show("No run matches these filters. Choose another pipeline or status.")
        return
    schedules = None
    if not economy.metered():
        schedules = {each.id: each.name for each in reads.schedules()}
    _table(found, catalog, schedules, now=now, zone=zone)


def _choices(catalog: Catalog, runs: Sequence[PipelineRun]) -> list[str]:
    """Pipelines by id, and all of them: first where that is free, last where it is not."""
    if economy.metered():
        return [*catalog.pipelines, EVERY]
    return [EVERY, *dict.fromkeys(run.pipeline_id for run in runs)]


def matching(
    runs: Sequence[PipelineRun], *, pipeline: str, statuses: Sequence[str]
) -> tuple[PipelineRun, ...]:
    """The runs that pass both filters; no status chosen means every status."""
    wanted = {status for word in statuses for status in GROUPS[word]}
    return tuple(
        run
        for run in runs
        if pipeline in (EVERY, run.pipeline_id) and (not wanted or run.status in wanted)
    )


def _table(
    runs: Sequence[PipelineRun],
    catalog: Catalog,
    schedules: dict[str, str] | None,
    *,
    now: datetime,
    zone: tzinfo,
) -> None:
    def opened(ids: tuple[str, ...]) -> None:
        pipeline_address.open("run", ids[st.session_state["pipeline-runs.open"]["row"]])

    lengths = [pipeline_facts.length(run, now=now) for run in runs]
    frame = pd.DataFrame(
        {
            "Run": [formats.instant(run.created_at, zone=zone, now=now) for run in runs],
            "Status": [[run.status.value] for run in runs],
            "Pipeline": [catalog.title(run.pipeline_id) for run in runs],
            "Started by": [_source(run, schedules) for run in runs],
            "Experiment": [run.experiment for run in runs],
            "Duration": [each.total_seconds() / 60 if each else None for each in lengths],
            "Model": [run.model_id for run in runs],
            "Reason": [run.error for run in runs],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(runs) <= TALL else TALL_HEIGHT,
        column_config={
            "Run": st.column_config.ButtonColumn(
                "Run", type="tertiary", alignment="left", key="pipeline-runs.open", pinned=True,
                on_click=opened, args=(tuple(run.id for run in runs),), width=130,
                help=f"When it was submitted, in your time zone, {zone}",
            ),
            "Status": state_badge.column("Status", RunStatus, width=120),
            "Duration": st.column_config.NumberColumn("Duration", format="%.1f min", width=90),
            "Reason": st.column_config.TextColumn("Reason", width="large"),
        },
        placeholder="–",
        alt="Pipeline runs with status, pipeline, who started them and duration",
        key="pipeline-runs.table",
    )  # fmt: skip


def _source(run: PipelineRun, schedules: dict[str, str] | None) -> str:
    if run.schedule_id is None:
        return run.run_source
    again = "retry of " if run.retry_of else ""
    if schedules is None:
        return f"{again}a schedule"
    return f"{again}schedule {schedules.get(run.schedule_id, '(deleted)')}"
