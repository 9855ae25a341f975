"""Figures about pipeline runs. Pure: records in, Plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import plotly.graph_objects as go

from dashboard import formats
from dashboard.charts import base_layout
from dashboard.pipeline_facts import length
from services.domain import PipelineRun, RunStatus, StepRun

# By colour and by shape, so that neither light, dark nor colour-blind eyes lose a failure.
_LOOK: dict[str, tuple[str, str]] = {
    "Completed": ("rgb(34, 160, 80)", "square"),
    "Failed": ("rgb(220, 55, 55)", "x"),
    "Canceled": ("rgb(140, 140, 148)", "line-ew-open"),
    "Running": ("rgb(59, 120, 235)", "diamond"),
    "Not started": ("rgba(140, 140, 148, 0.35)", "square-open"),
}
_GROUPS = {
    RunStatus.COMPLETED: "Completed",
    RunStatus.FAILED: "Failed",
    RunStatus.NOT_RESPONDING: "Failed",
    RunStatus.CANCELED: "Canceled",
    RunStatus.NOT_STARTED: "Not started",
    RunStatus.QUEUED: "Not started",
}
ROW_PX, BARS_PX, GAP_PX, FRAME_PX = 34, 96, 8, 92
LABELS = 10  # dates written below, at most
COLUMNS = 12  # there is room for at least: a single run is no wall


def group(status: RunStatus) -> str:
    """The legend entry a status belongs to."""
    return _GROUPS.get(status, "Running")


def run_grid(
    runs: Sequence[PipelineRun],
    steps: Mapping[str, Sequence[StepRun]],
    *,
    now: datetime,
    zone: tzinfo,
) -> go.Figure:
    """One column per run, oldest at the left: its duration as a bar, its steps as marks below.

    Every mark and bar carries ``[run id, node id]`` (a bar's node id is empty), for clicks.
    """
    names = _step_names(runs, steps)
    labels = _labels(runs, zone=zone)
    # Plain dictionaries, checked once as a whole: Plotly checks every change to a figure anew.
    traces = [
        trace
        for name in _LOOK
        for trace in (
            _bars(name, runs, labels, now=now),
            _marks(name, runs, labels, steps, now=now),
        )
        if trace["x"]
    ]
    marks_px = ROW_PX * max(len(names), 1)
    inner_px = BARS_PX + GAP_PX + marks_px
    every = max(1, -(-len(runs) // LABELS))
    figure = go.Figure(
        data=traces,
        layout={
            "barmode": "overlay",
            "xaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [run.id for run in runs],
                "tickvals": [run.id for run in runs[::every]],
                "ticktext": [labels[run.id] for run in runs[::every]],
                "tickangle": 0,
                "anchor": "y2",
                "range": [-0.5, max(len(runs), COLUMNS) - 0.5],
            },
            "yaxis": {"domain": [(marks_px + GAP_PX) / inner_px, 1], "nticks": 4},
            "yaxis2": {
                "domain": [0, marks_px / inner_px],
                "type": "category",
                "categoryorder": "array",
                "categoryarray": list(reversed(names)),
            },
        },
    )
    base_layout(figure, height=FRAME_PX + inner_px, y_title="Duration (min)")
    figure.update_layout(
        hovermode="closest", bargap=0.35, yaxis2={"title": None, "showgrid": False}
    )
    return figure


def _step_names(runs: Sequence[PipelineRun], steps: Mapping[str, Sequence[StepRun]]) -> list[str]:
    return list(dict.fromkeys(step.name for run in runs for step in steps.get(run.id, ())))


def _labels(runs: Sequence[PipelineRun], *, zone: tzinfo) -> dict[str, str]:
    """Run id → its day, or its time of day where all runs lie within two days."""
    times = {run.id: run.created_at.astimezone(zone) for run in runs}
    close = times and max(times.values()) - min(times.values()) < timedelta(days=2)
    return {run_id: f"{at:%H:%M}" if close else f"{at.day} {at:%b}" for run_id, at in times.items()}


def _bars(
    name: str, runs: Sequence[PipelineRun], labels: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    """How long the runs of one group took."""
    here = [(run, length(run, now=now)) for run in runs if group(run.status) == name]
    return {
        "type": "bar",
        "x": [run.id for run, _ in here],
        "y": [each.total_seconds() / 60 if each else 0 for _, each in here],
        "customdata": [[run.id, ""] for run, _ in here],
        "hovertext": [
            f"{labels[run.id]}: {run.status}, {formats.duration(each)}" for run, each in here
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": _LOOK[name][0]},
        "name": name,
        "legendgroup": name,
        "showlegend": False,
    }


def _marks(
    name: str,
    runs: Sequence[PipelineRun],
    labels: Mapping[str, str],
    steps: Mapping[str, Sequence[StepRun]],
    *,
    now: datetime,
) -> dict[str, Any]:
    """The steps of one group, one mark each."""
    color, symbol = _LOOK[name]
    here = [
        (run, step) for run in runs for step in steps.get(run.id, ()) if group(step.status) == name
    ]
    return {
        "type": "scatter",
        "x": [run.id for run, _ in here],
        "y": [step.name for _, step in here],
        "yaxis": "y2",
        "customdata": [[run.id, step.node_id] for run, step in here],
        "hovertext": [
            f"{labels[run.id]}, {step.name}: {step.status}, "
            f"{formats.duration(length(step, now=now))}"
            for run, step in here
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "mode": "markers",
        "marker": {
            "color": color,
            "symbol": symbol,
            "size": 13,
            "line": {"width": 2, "color": color},
        },
        "name": name,
        "legendgroup": name,
    }
