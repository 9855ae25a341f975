"""How far a batch inference has come: done, failed, left, and a warning when it stands still."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard import formats, pipeline_facts
from services.domain import PipelineRun


def show(run: PipelineRun, *, now: datetime) -> None:
    """Draw the progress of a run that has one."""
    batch = run.batch
    if batch is None:
        return
    share = pipeline_facts.share(batch)
    done, failed, left, of = st.columns(4, gap="small")
    done.metric("Scored", formats.count(batch.done_count), border=True)
    failed.metric("Failed rows", formats.count(batch.failed_count), border=True)
    left.metric("Left", formats.count(batch.left_count), border=True)
    of.metric("Rows in all", formats.count(batch.total_count), border=True)
    st.progress(share, text=f"{formats.percent(share, digits=0)} of the rows dealt with")
    if idle := pipeline_facts.idle_for(run, now=now):
        st.warning(
            f"Nothing has been processed for {formats.duration(idle)}. Look at the log of the "
            "Score step; cancel the run if it does not go on.",
            icon=":material/hourglass_disabled:",
        )
