"""Figures about pipeline runs. Pure: records in, Plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import plotly.graph_objects as go
from plotly.subplots import make_subplots

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
ROW_PX, BARS_PX, FRAME_PX = 34, 96, 92


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
    figure = make_subplots(
        rows=2,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[BARS_PX, ROW_PX * max(len(names), 1)],
    )
    labels = [_label(run, zone=zone) for run in runs]
    for name, (color, symbol) in _LOOK.items():
        _bars(figure, name, color, runs, labels, now=now)
        _marks(figure, name, color, symbol, runs, labels, steps, now=now)
    base_layout(figure, height=FRAME_PX + BARS_PX + ROW_PX * max(len(names), 1))
    figure.update_layout(hovermode="closest", barmode="overlay", bargap=0.35)
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=[run.id for run in runs],
        tickvals=[run.id for run in runs[:: max(1, len(runs) // 10)]],
        ticktext=labels[:: max(1, len(runs) // 10)],
        tickangle=0,
    )
    figure.update_yaxes(title="Duration (min)", row=1, col=1, nticks=4)
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(reversed(names)),
        showgrid=False,
        title=None,
        row=2,
        col=1,
    )
    return figure


def _step_names(runs: Sequence[PipelineRun], steps: Mapping[str, Sequence[StepRun]]) -> list[str]:
    return list(dict.fromkeys(step.name for run in runs for step in steps.get(run.id, ())))


def _label(run: PipelineRun, *, zone: tzinfo) -> str:
    at = run.created_at.astimezone(zone)
    return f"{at.day} {at:%b}"


def _bars(
    figure: go.Figure,
    name: str,
    color: str,
    runs: Sequence[PipelineRun],
    labels: Sequence[str],
    *,
    now: datetime,
) -> None:
    here = [
        (run, label) for run, label in zip(runs, labels, strict=True) if group(run.status) == name
    ]
    lengths = [length(run, now=now) for run, _ in here]
    figure.add_bar(
        x=[run.id for run, _ in here],
        y=[each.total_seconds() / 60 if each else 0 for each in lengths],
        customdata=[[run.id, ""] for run, _ in here],
        text=[
            f"{label}: {run.status}, {formats.duration(each)}"
            for (run, label), each in zip(here, lengths, strict=True)
        ],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        marker={"color": color},
        name=name,
        legendgroup=name,
        showlegend=False,
        row=1,
        col=1,
    )


def _marks(
    figure: go.Figure,
    name: str,
    color: str,
    symbol: str,
    runs: Sequence[PipelineRun],
    labels: Sequence[str],
    steps: Mapping[str, Sequence[StepRun]],
    *,
    now: datetime,
) -> None:
    here = [
        (run, label, step)
        for run, label in zip(runs, labels, strict=True)
        for step in steps.get(run.id, ())
        if group(step.status) == name
    ]
    figure.add_scatter(
        x=[run.id for run, _, _ in here],
        y=[step.name for _, _, step in here],
        customdata=[[run.id, step.node_id] for run, _, step in here],
        text=[
            f"{label}, {step.name}: {step.status}, {formats.duration(length(step, now=now))}"
            for _, label, step in here
        ],
        hovertemplate="%{text}<extra></extra>",
        mode="markers",
        marker={"color": color, "symbol": symbol, "size": 13, "line": {"width": 2, "color": color}},
        name=name,
        legendgroup=name,
        showlegend=bool(here),
        row=2,
        col=1,
    )
