"""Figures on their way to the browser: built without a check of every property, sent without
being copied, and drawn once for as long as what they show stays the same.

The tests of the pages have every figure checked; at run time the check alone takes longer
than the rest of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import orjson
import plotly.graph_objects as go
import plotly.io
from plotly.basedatatypes import BaseFigure

from dashboard.once import once

P = ParamSpec("P")

checked = False  # whether Plotly looks at every property, and refuses what it does not know


def figure(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> go.Figure:
    """A figure of these traces and this layout, unchecked."""
    return go.Figure({"data": list(traces), "layout": _given(layout)}, _validate=checked)


def _given(described: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, which stands for what is not said."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in described.items()
        if value is not None
    }


class Drawn(BaseFigure):  # type: ignore[misc]
    """A finished figure: what Streamlit would make of it, made once."""

    def __init__(self, drawn: go.Figure) -> None:
        described = drawn.to_dict()
        size = {name: described["layout"].get(name) for name in ("width", "height")}
        text = plotly.io.to_json(described, validate=False).encode()
        object.__setattr__(self, "_described", _Described(size, text))

    def to_dict(self) -> dict[str, Any]:
        """For `st.plotly_chart`, which asks for the size and for the whole as JSON."""
        found: dict[str, Any] = self._described
        return found


class _Described(dict[str, Any]):
    def __init__(self, size: Mapping[str, Any], text: bytes) -> None:
        super().__init__(layout=dict(size))
        self._text = text

    def to_plotly_json(self) -> orjson.Fragment:
        return orjson.Fragment(self._text)


def drawn(build: Callable[P, go.Figure]) -> Callable[P, Drawn]:
    """`build`, drawn once for the very same inputs: see `once`."""

    @once
    @wraps(build)
    def draw(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        return Drawn(build(*args, **kwargs))

    return draw
