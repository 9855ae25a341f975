"""The steps of a pipeline drawn as a graph, each with its state where there is one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.charts_pipelines import group
from services.domain import PipelineGraph, StepRun

_SHAPES = {"dataset": ('[("', '")]'), "model": ('(["', '"])')}
_BOX = ('["', '"]')
_MARKS = {"Completed": "✓", "Failed": "✗", "Canceled": "–", "Running": "…", "Not started": ""}
_STROKES = {"Completed": "#22a050", "Failed": "#dc3737", "Running": "#3b78eb"}


def show(graph: PipelineGraph, steps: Sequence[StepRun] = ()) -> None:
    names = " to ".join(node.name for node in graph.nodes)
    st.mermaid_chart(definition(graph, steps), alt=f"Steps of the pipeline: {names}")


def definition(graph: PipelineGraph, steps: Sequence[StepRun] = ()) -> str:
    """The graph as Mermaid text. Names of unknown origin stay names, whatever they contain."""
    ids = {node.id: f"n{place}" for place, node in enumerate(graph.nodes)}
    states = {step.node_id: group(step.status) for step in steps}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        opening, closing = _SHAPES.get(node.kind, _BOX)
        mark = _MARKS[states[node.id]] if node.id in states else ""
        lines.append(f"{ids[node.id]}{opening}{_text(f'{node.name} {mark}'.strip())}{closing}")
        if stroke := _STROKES.get(states.get(node.id, "")):
            lines.append(f"style {ids[node.id]} stroke:{stroke},stroke-width:2px")
    lines += [f"{ids[start]} --> {ids[end]}" for start, end in graph.edges]
    return "\n".join(lines)


def _text(name: str) -> str:
    """Every character that Mermaid or HTML could read as markup, as an entity."""
    return "".join(
        each if each.isalnum() or each in " _-.…✓✗–" else f"#{ord(each)};" for each in name
    )
