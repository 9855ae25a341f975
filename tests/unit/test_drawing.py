"""A figure drawn once is sent as Streamlit would send it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest

from dashboard import charts, drawing

TRACE = {"type": "scatter", "name": "a", "x": [1, 2], "y": np.array([1.5, np.nan])}


def _layout():
    return charts.layout(height=321, y_unit=" ms") | {
        "shapes": [{"type": "line", "x0": 1, "x1": 1}]
    }


def test_what_is_sent_is_what_a_checked_figure_sends():
    def page():
        import streamlit as st

        from dashboard import drawing
        from tests.unit.test_drawing import TRACE, _layout

        figure = drawing.figure([TRACE], _layout())
        sketched, made = drawing.Drawn(figure), figure.update_layout()
        st.plotly_chart(made, key="plain", height="content")
        st.plotly_chart(drawing.Drawn(made), key="drawn", height="content")
        st.plotly_chart(sketched, key="sketched", height="content")

    app = AppTest.from_function(page).run()

    assert not app.exception
    plain, drawn, sketched = app.get("plotly_chart")
    assert json.loads(drawn.proto.spec) == json.loads(plain.proto.spec)
    assert json.loads(sketched.proto.spec) == json.loads(plain.proto.spec)
    checked = go.Figure({"data": [TRACE], "layout": _layout()})
    assert json.loads(drawn.proto.spec) == json.loads(checked.to_json())


def test_it_is_drawn_again_only_for_something_else():
    drawn_for = []

    @drawing.drawn
    def draw(frame, at):
        drawn_for.append(at)
        return drawing.figure([TRACE], _layout())

    frame, at = pd.DataFrame({"a": [1]}), datetime(2024, 5, 1, tzinfo=UTC)

    assert draw(frame, at) is draw(frame, datetime(2024, 5, 1, tzinfo=UTC))
    draw(frame.copy(), at)
    assert len(drawn_for) == 2
