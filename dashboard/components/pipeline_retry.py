"""A failed run once more, with the parameters it had, and again while that fails."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures, pipeline_address
from services.domain import Capability, PipelineRun, RunStatus

MOST = 10
USUAL = 3


def show(run: PipelineRun) -> None:
    """The way to the run it repeats; and for a failed one, to an attempt."""
    if run.retry_of is not None and st.button(
        "First run", key="pipeline-run.first", icon=":material/replay:", type="tertiary",
        help="This is another attempt of a run that failed",
    ):  # fmt: skip
        pipeline_address.open("run", run.retry_of)
        st.rerun()
    if run.status is not RunStatus.FAILED:
        return
    if not session.workspace().can(Capability.RETRY_PIPELINE_RUNS):
        return
    with st.popover("Retry", icon=":material/replay:"):
        at_most = st.number_input(
            "Attempts at most", 1, MOST, USUAL, key="pipeline-run.attempts",
            help="It is tried again in the background each time it fails, until it does not",
        )  # fmt: skip
        st.caption("With the same parameters. An attempt that completes is the last.")
        if session.workspace().backend != "local":
            st.caption("Further attempts are made by this dashboard while “make run” is up.")
        if st.button("Retry the run", key="pipeline-run.retry", type="primary"):
            with failures.reported():
                attempt = session.workspace().pipelines.retry(run.id, at_most=int(at_most))
                reads.clear()
                pipeline_address.open("run", attempt.id)
                st.toast(f"Attempt 1 of {formats.count(at_most)} is queued.")
                st.rerun()
