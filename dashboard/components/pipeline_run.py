"""One pipeline run: its state, its steps, their logs, and the way to the training it started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, navigation, pipeline_facts, reads, session, shell
from dashboard.components import (
    confirm,
    failures,
    migration_code,
    pipeline_address,
    pipeline_batch_progress,
    pipeline_graph,
    pipeline_retry,
    state_badge,
)
from services.domain import PipelineRun, RunStatus, StepRun

LIVE_S = 2.0  # between refreshes while the run is under way
LINES = 1000


def show(run_id: str, *, closable: bool = True) -> None:
    """Refreshes on its own while the run is under way.

    Args:
        closable: Offer to close it; not where a run is always open.
    """
    with failures.explained():
        settled = reads.pipeline_run(run_id).status.settled

    @st.fragment(run_every=shell.refresh_interval() if settled else LIVE_S)
    def live() -> None:
        with failures.explained():
            run = reads.pipeline_run(run_id)
            if run.status.settled and not settled:
                st.rerun()  # once more, whole, and then no timer
            _draw(run, closable=closable, now=datetime.now(UTC), zone=shell.zone())

    live()


def step_key(run_id: str) -> str:
    """Where the session remembers which step's log is shown."""
    return f"step-{run_id}"


def _draw(run: PipelineRun, *, closable: bool, now: datetime, zone: tzinfo) -> None:
    with st.container(border=True, key="pipeline-run"):
        _header(run, closable=closable, now=now, zone=zone)
        if run.error:
            st.error(formats.plain(run.error), icon=":material/error:")
        if run.status is RunStatus.NOT_RESPONDING:
            st.warning(
                "The worker of this run does not answer. It ends as Failed once the supervisor "
                "has found it gone.",
                icon=":material/warning:",
            )
        if run.batch is not None:
            pipeline_batch_progress.show(run, now=now)
        steps = reads.pipeline_steps((run.id,))[run.id]
        graph, table = st.columns([1, 1.4], gap="medium", vertical_alignment="center")
        with graph:
            if run.pipeline_id:  # one submitted from a notebook belongs to none
                with failures.reported():
                    pipeline_graph.show(reads.pipeline_graph(run.pipeline_id), steps)
        with table:
            _steps(steps, now=now)
        _log(run, steps)


def _header(run: PipelineRun, *, closable: bool, now: datetime, zone: tzinfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        created = formats.instant(run.created_at, zone=zone, now=now)
        st.markdown(f"**Run of {formats.plain(created)}**", width="content", help=run.id)
        state_badge.show(run.status)
        took = formats.duration(pipeline_facts.length(run, now=now))
        st.caption(
            f"{took} · started by {formats.plain(run.run_source)} · "
            f"{formats.plain(run.experiment)}",
            width="content",
        )
        st.space("stretch")
        _links(run)
        migration_code.popover(
            "pipeline.steps",
            "pipeline.cancel",
            "pipeline.retry",
            run_id=run.id,
            pipeline_id=run.pipeline_id or None,
            experiment=run.experiment,
            parameters=dict(run.parameters),
        )
        pipeline_retry.show(run)
        if not run.status.settled and confirm.show(
            "Cancel run",
            key="pipeline-run.cancel",
            icon=":material/stop_circle:",
            question="Cancel this run?",
            consequence="The step at work is stopped, and the training it started with it. "
            "What earlier steps made stays.",
            verb="Cancel run",
            disabled=run.status is RunStatus.CANCEL_REQUESTED,
        ):
            with failures.reported():
                session.workspace().pipelines.cancel(run.id)
                reads.clear()
                st.rerun()  # fmt: skip
        if closable and st.button(
            "Close", key="pipeline-run.close", icon=":material/close:", type="tertiary"
        ):
            pipeline_address.close("run")
            st.rerun()  # the whole page: this part alone would still be here


def _links(run: PipelineRun) -> None:
    """The ways to what it trained and to what it registered or scored with."""
    if run.training_run_id:
        st.page_link(
            navigation.to("training_runs"), label="Training metrics", icon=":material/monitoring:",
            query_params={"run": run.training_run_id},
        )  # fmt: skip
    if run.model_id:
        st.page_link(
            navigation.to("models"), label=run.model_id, icon=":material/deployed_code:",
            query_params={"model": run.model_id},
        )  # fmt: skip


def _steps(steps: Sequence[StepRun], *, now: datetime) -> None:
    lengths = [pipeline_facts.length(step, now=now) for step in steps]
    st.dataframe(
        pd.DataFrame(
            {
                "Step": [step.name for step in steps],
                "Status": [[step.status.value] for step in steps],
                "Duration": [formats.duration(each) for each in lengths],
                "Reason": [step.error for step in steps],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Status": state_badge.column("Status", RunStatus, width=120),
            "Duration": st.column_config.TextColumn("Duration", width=90),
            "Reason": st.column_config.TextColumn("Reason", width="medium"),
        },
        placeholder="–",
        alt="Steps of the run with status and duration",
        key="pipeline-run.steps",
    )


def _log(run: PipelineRun, steps: Sequence[StepRun]) -> None:
    """The log of one step: of the one that failed, unless another is asked for."""
    named = {step.node_id: step.name for step in steps} | {"": "Whole run"}
    worst = pipeline_facts.worst_step(steps)
    usual = worst.node_id if worst else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        node_id = st.radio(
            "Log of", list(named), list(named).index(usual), format_func=named.__getitem__,
            horizontal=True, key=step_key(run.id),
        )  # fmt: skip
        st.space("stretch")
        download = st.container(width="content")
    tail = session.workspace().pipelines.logs(run.id, node_id or None, line_limit=LINES)
    st.code(
        tail.text or "Nothing written yet.",
        language=None,
        height=min(420, 38 + 19 * max(1, tail.line_count)),
    )
    extent = "The whole log" if tail.complete else "The end of the log"
    st.caption(f"{extent}, {formats.plural(tail.line_count, 'line')}.")
    with download:
        st.download_button(
            "Download", tail.text, file_name=f"{run.id}-{node_id or 'run'}.log",
            mime="text/plain", key="pipeline-run.download", icon=":material/download:",
            on_click="ignore", disabled=not tail.text,
        )  # fmt: skip
