"""Runs × steps: one column per run with its duration, one mark per step; a click opens it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

import streamlit as st

from dashboard import charts, charts_pipelines, formats, reads
from dashboard.components import pipeline_address, pipeline_run
from services.domain import PipelineRun

COLUMNS = 30


def show(runs: Sequence[PipelineRun], *, key: str, now: datetime, zone: tzinfo) -> None:
    """Draw the newest runs, oldest at the left, and below them the one that is open.

    Args:
        runs: Newest first, not empty.
    """
    shown = tuple(reversed(runs[:COLUMNS]))
    steps = reads.pipeline_steps(tuple(run.id for run in shown))
    good = sum(run.status == "Completed" for run in shown)
    settled = sum(run.status.settled for run in shown)
    st.caption(
        f"The last {formats.plural(len(shown), 'run')}, {good} of {settled} that ended completed. "
        "Click a bar to open its run, a mark to open its step’s log."
    )

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
