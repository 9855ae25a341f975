"""Runs × steps: one column per run with its duration, one mark per step; a click opens it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

import streamlit as st

from dashboard import charts, charts_pipelines, reads
from dashboard.components import pipeline_address, pipeline_run
from services.domain import PipelineRun, RunStatus

COLUMNS = 30


def show(runs: Sequence[PipelineRun], *, key: str, now: datetime, zone: tzinfo) -> None:
    """Draw the newest runs, oldest at the left, and below them the one that is open.

    Args:
        runs: Newest first, not empty.
    """
    shown = tuple(reversed(runs[:COLUMNS]))
    steps = reads.pipeline_steps(tuple(run.id for run in shown))
    st.caption(f"{_counted(shown)} Click a bar to open its run, a mark to open its step’s log.")

    def clicked() -> None:
        event: Any = st.session_state[key]
        points = event["selection"]["points"]
        if points:
            run_id, node_id = points[0]["customdata"][:2]
            pipeline_address.open("run", run_id)
            if node_id:
                st.session_state[pipeline_run.step_key(run_id)] = node_id

    st.plotly_chart(
        charts_pipelines.run_grid(shown, steps, now=now, zone=zone),
        key=key,
        config=charts.CONFIG | {"displayModeBar": False},
        on_select=clicked,
        selection_mode="points",
        alt=f"Status of every step of the last {len(shown)} runs, and how long each run took",
    )
    opened = pipeline_address.opened("run")
    chosen = next((run for run in shown if run.id == opened), None)
    if chosen is not None:
        pipeline_run.show(chosen.id)


def _counted(runs: Sequence[PipelineRun]) -> str:
    """How many ended, and how many of those well: no share without its number."""
    good = sum(run.status is RunStatus.COMPLETED for run in runs)
    settled = sum(run.status.settled for run in runs)
    newest = "One run" if len(runs) == 1 else f"The newest {len(runs)} runs"
    return f"{newest}; of {settled} that ended, {good} completed."
