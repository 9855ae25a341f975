"""The steps of a pipeline drawn as a graph, each with its state where there is one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import pipeline_drawing
from dashboard.charts_pipelines import group
from services.domain import PipelineGraph, StepRun


def show(graph: PipelineGraph, steps: Sequence[StepRun] = ()) -> None:
    states = {step.node_id: group(step.status) for step in steps}
    dark = st.context.theme.type == "dark"
    picture = pipeline_drawing.draw(graph, states, dark=dark)
    st.image(picture.svg, width=picture.width, alt=_in_words(graph, steps))


def _in_words(graph: PipelineGraph, steps: Sequence[StepRun]) -> str:
    """What the picture says to somebody who does not see it."""
    names = {node.id: node.name for node in graph.nodes}
    flows = [f"{names[start]} to {names[end]}" for start, end in graph.edges]
    ended = [f"{step.name} {step.status}" for step in steps]
    return ". ".join(filter(None, (f"Steps: {', '.join(flows)}", ", ".join(ended))))
