"""A pipeline's graph as an SVG picture: nothing to load, and its size is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from services.domain import GraphNode, PipelineGraph

WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 122, 42, 38, 16, 4  # of a node, between nodes, around all
NAME_LENGTH = 17  # characters of a name that fit
MARKS = {"Completed": "✓", "Failed": "✗", "Canceled": "–", "Running": "…"}
STROKES = {"Completed": "#22a050", "Failed": "#dc3737", "Running": "#3b78eb"}
QUIET = "#8a8a94"


@dataclass(frozen=True, slots=True)
class Picture:
    svg: str
    width: int  # pixels
    height: int


def draw(graph: PipelineGraph, states: Mapping[str, str], *, dark: bool) -> Picture:
    """Nodes from left to right in the order work passes through them.

    Args:
        states: Node id → ``Completed``, ``Failed``, ``Canceled``, ``Running`` or nothing.
        dark: The background it is seen on.
    """
    layers = _layers(graph)
    tallest = max(map(len, layers), default=0)
    width = 2 * MARGIN + len(layers) * WIDTH + max(0, len(layers) - 1) * ACROSS
    height = 2 * MARGIN + tallest * HEIGHT + max(0, tallest - 1) * DOWN
    places = _places(layers, height)
    ink = "#ececf1" if dark else "#18181b"
    parts = [_edge(places[start], places[end]) for start, end in graph.edges]
    parts += [
        _node(node, places[node.id], states.get(node.id, ""), ink=ink) for node in graph.nodes
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Inter, system-ui, sans-serif" '
        f'font-size="12">'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 Z" fill="{QUIET}"/>'
        "</marker></defs>"
        f"{''.join(parts)}</svg>"
    )
    return Picture(svg, width, height)


def _layers(graph: PipelineGraph) -> list[list[str]]:
    """Node ids by how many nodes lie before them at most."""
    before: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for start, end in graph.edges:
        before[end].append(start)
    depths: dict[str, int] = {}
    waiting = list(before)
    while waiting:
        ready = [each for each in waiting if all(one in depths for one in before[each])]
        for each in ready or waiting[:1]:  # a circle is opened somewhere rather than never drawn
            known = [depths[one] for one in before[each] if one in depths]
            depths[each] = max(known, default=-1) + 1
        waiting = [each for each in waiting if each not in depths]
    count = max(depths.values(), default=-1) + 1
    return [[each for each in before if depths[each] == depth] for depth in range(count)]


def _places(layers: Sequence[Sequence[str]], height: int) -> dict[str, tuple[float, float]]:
    """Node id → its upper left corner; every layer is centred."""
    places: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        used = len(layer) * HEIGHT + (len(layer) - 1) * DOWN
        for row, node_id in enumerate(layer):
            y = (height - used) / 2 + row * (HEIGHT + DOWN)
            places[node_id] = (MARGIN + column * (WIDTH + ACROSS), y)
    return places


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT / 2
    x2, y2 = end[0] - 2, end[1] + HEIGHT / 2
    middle = (x1 + x2) / 2
    return (
        f'<path d="M{x1:g},{y1:g} C{middle:g},{y1:g} {middle:g},{y2:g} {x2:g},{y2:g}" '
        f'fill="none" stroke="{QUIET}" stroke-width="1.4" marker-end="url(#head)"/>'
    )


def _node(node: GraphNode, place: tuple[float, float], state: str, *, ink: str) -> str:
    x, y = place
    stroke = STROKES.get(state, QUIET)
    thick = 2 if state in STROKES else 1.2
    # The fill is the stroke's own colour, faint, so that it fits either background.
    look = f'fill="{stroke}" fill-opacity="0.08" stroke="{stroke}" stroke-width="{thick}"'
    name = node.name if len(node.name) <= NAME_LENGTH else node.name[: NAME_LENGTH - 1] + "…"
    text = escape(f"{name} {MARKS.get(state, '')}".strip())
    return (
        f"{_shape(node.kind, x, y, look)}"
        f'<text x="{x + WIDTH / 2:g}" y="{y + HEIGHT / 2 + _sink(node.kind):g}" fill="{ink}" '
        f'text-anchor="middle">{text}</text>'
    )


def _shape(kind: str, x: float, y: float, look: str) -> str:
    """Data is a drum, a model a pill, work a box."""
    if kind == "dataset":
        rim, right, bottom = 6, x + WIDTH, y + HEIGHT
        arc = f"A{WIDTH / 2:g},{rim}"
        return (
            f'<path d="M{x:g},{y + rim:g} {arc} 0 0 1 {right:g},{y + rim:g} '
            f"L{right:g},{bottom - rim:g} {arc} 0 0 1 {x:g},{bottom - rim:g} Z "
            f'M{x:g},{y + rim:g} {arc} 0 0 0 {right:g},{y + rim:g}" {look}/>'
        )
    radius = HEIGHT / 2 if kind == "model" else 6
    return f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="{radius:g}" {look}/>'


def _sink(kind: str) -> float:
    """How far below the middle the text's line lies."""
    return 8 if kind == "dataset" else 4
