"""Figures on their way to the browser: built without a check of every property, sent without
being copied, and drawn once for as long as what they show stays the same.

The tests of the pages have every figure checked; at run time the check alone takes longer
than the rest of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, ParamSpec

import numpy as np
import orjson
import plotly.graph_objects as go
import plotly.io
from _plotly_utils.utils import convert_to_base64  # type: ignore[import-untyped]
from plotly.basedatatypes import BaseFigure

from dashboard.once import once

P = ParamSpec("P")

checked = False  # whether Plotly looks at every property, and refuses what it does not know


class Sketch(go.Figure):  # type: ignore[misc]
    """A figure of which only the description exists, until something else of it is asked."""

    def __init__(self, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
        object.__setattr__(self, "traces", list(traces))
        object.__setattr__(self, "frame", _given(layout))
        object.__setattr__(self, "made", False)

    def __getattr__(self, name: str) -> Any:
        """What Plotly keeps of a figure, which it makes now."""
        if self.made:
            raise AttributeError(name)
        object.__setattr__(self, "made", True)
        super().__init__({"data": self.traces, "layout": self.frame}, _validate=False)
        return getattr(self, name)


def figure(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> go.Figure:
    """A figure of these traces and this layout, unchecked."""
    if not checked:
        return Sketch(traces, layout)
    return go.Figure({"data": list(traces), "layout": _given(layout)})


def described(drawn: go.Figure) -> tuple[list[Any], dict[str, Any]]:
    """Its traces and its layout, to read only; of a sketch without making more of it."""
    if isinstance(drawn, Sketch) and not drawn.made:
        return drawn.traces, drawn.frame
    whole = drawn.to_dict()
    return whole["data"], whole["layout"]


def _given(described: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, which stands for what is not said."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in described.items()
        if value is not None
    }


def _finished(drawn: go.Figure) -> dict[str, Any]:
    """As `to_dict` answers, with the theme's template and the arrays as the browser takes them."""
    if not isinstance(drawn, Sketch) or drawn.made:
        whole: dict[str, Any] = drawn.to_dict()
        return whole
    traces = [_given(trace) for trace in drawn.traces]
    convert_to_base64(traces)
    layout = {"template": _template(plotly.io.templates.default), **drawn.frame}
    return {"data": traces, "layout": layout}


@cache
def _template(_: str) -> orjson.Fragment:
    """The same under every figure, and most of its text."""
    return orjson.Fragment(_json(go.Figure().to_dict()["layout"]["template"]))


def _json(described: Mapping[str, Any]) -> bytes:
    try:
        options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        return orjson.dumps(described, default=_listed, option=options)
    except TypeError:  # what only Plotly knows how to write
        return bytes(plotly.io.to_json(described, validate=False).encode())


def _listed(values: object) -> object:
    if isinstance(values, np.ndarray | tuple):
        return values.tolist() if isinstance(values, np.ndarray) else list(values)
    raise TypeError


class Drawn(BaseFigure):  # type: ignore[misc]
    """A finished figure: what Streamlit would make of it, made once."""

    def __init__(self, drawn: go.Figure) -> None:
        finished = _finished(drawn)
        size = {name: finished["layout"].get(name) for name in ("width", "height")}
        text = _json(finished)
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
