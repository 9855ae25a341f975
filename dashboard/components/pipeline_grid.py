"""Runs × steps: one column per run with its duration, one mark per step; a click opens it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, charts_pipelines, drawing, reads
from dashboard.components import pipeline_address, pipeline_run
from services.domain import PipelineRun, RunStatus, StepRun

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
        _grid(shown, tuple(steps[run.id] for run in shown), _moment(shown, now), zone),
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


def _moment(runs: Sequence[PipelineRun], now: datetime) -> datetime | None:
    """Now, where the figure depends on it: how long what has not ended has been at work."""
    return None if all(run.status.settled and run.ended_at for run in runs) else now


@drawing.drawn
def _grid(
    runs: tuple[PipelineRun, ...],
    steps: tuple[Sequence[StepRun], ...],
    now: datetime | None,
    zone: tzinfo,
) -> go.Figure:
    of_each = {run.id: each for run, each in zip(runs, steps, strict=True)}
    return charts_pipelines.run_grid(runs, of_each, now=now or runs[-1].created_at, zone=zone)
