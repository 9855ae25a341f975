"""The picture of a pipeline's graph."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from dashboard import pipeline_drawing
from services.domain import GraphNode, PipelineGraph

SVG = "{http://www.w3.org/2000/svg}"


def graph(*edges: tuple[str, str], names: dict[str, str] | None = None) -> PipelineGraph:
    ids = dict.fromkeys(each for edge in edges for each in edge)
    nodes = (GraphNode(id=each, name=(names or {}).get(each, each), kind="score") for each in ids)
    return PipelineGraph(nodes=tuple(nodes), edges=edges)


def parts(picture: pipeline_drawing.Picture, tag: str) -> list[ET.Element]:
    return ET.fromstring(picture.svg).findall(f"{SVG}{tag}")


def test_every_node_and_every_edge_is_drawn():
    picture = pipeline_drawing.draw(
        graph(("a", "c"), ("b", "c"), ("c", "d")), {"a": "Completed", "c": "Failed"}, dark=False
    )

    assert [text.text for text in parts(picture, "text")] == ["a ✓", "c ✗", "b", "d"]
    assert len(parts(picture, "path")) == 3


def test_work_goes_from_left_to_right_and_inputs_lie_above_each_other():
    picture = pipeline_drawing.draw(graph(("a", "c"), ("b", "c")), {}, dark=True)

    place = {text.text: text.attrib for text in parts(picture, "text")}
    assert place["a"]["x"] == place["b"]["x"]
    assert float(place["a"]["y"]) < float(place["b"]["y"])
    assert float(place["c"]["x"]) > float(place["a"]["x"])


def test_the_picture_is_as_large_as_what_is_in_it():
    small = pipeline_drawing.draw(graph(("a", "b")), {}, dark=False)
    large = pipeline_drawing.draw(graph(("a", "b"), ("b", "c"), ("x", "c")), {}, dark=False)

    assert large.width > small.width
    assert large.height > small.height
    assert f'width="{small.width}"' in small.svg


def test_a_name_that_is_markup_stays_a_name():
    picture = pipeline_drawing.draw(
        graph(("a", "b"), names={"a": "<script>", "b": "&amp;"}), {}, dark=False
    )

    assert [text.text for text in parts(picture, "text")] == ["<script>", "&amp;"]


def test_a_long_name_is_shortened():
    picture = pipeline_drawing.draw(graph(("a", "b"), names={"a": "n" * 60}), {}, dark=False)

    assert parts(picture, "text")[0].text == "n" * 16 + "…"


def test_a_graph_that_goes_in_circles_is_drawn_all_the_same():
    picture = pipeline_drawing.draw(graph(("a", "b"), ("b", "a")), {}, dark=False)

    assert len(parts(picture, "text")) == 2


def test_nothing_is_a_picture_too():
    assert (
        parts(pipeline_drawing.draw(PipelineGraph(nodes=(), edges=()), {}, dark=False), "text")
        == []
    )
