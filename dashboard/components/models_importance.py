"""Which features a model leans on, raw and engineered; or why nobody knows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts_runs, drawing, formats, navigation, reads
from services.domain import Explanation, Model
from services.errors import NotFoundError

TABS = ("Raw features", "Engineered features")

_drawn_bars = drawing.drawn(charts_runs.bars)


def show(model: Model) -> None:
    """Two tabs under one slider."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="top"):
            st.markdown("**Feature importance**", width="stretch")
            slider = st.container(width=260)
        try:
            explanation = reads.explanation(model.run_id) if model.run_id else None
        except NotFoundError:
            explanation = None
        if explanation is None:
            _not_computed(model)
            return
        with slider:
            top = _top(max(len(explanation.raw), len(explanation.engineered)))
        raw, engineered = st.tabs(
            list(TABS), key="features", on_change="rerun", bind="query-params"
        )
        if raw.open:
            with raw:
                _bars(explanation.raw, top, key="raw")
        if engineered.open:
            with engineered:
                _bars(explanation.engineered, top, key="engineered")
        st.caption(_how(explanation))


def _top(most: int) -> int:
    if most < 2:
        return most
    return st.slider(
        "Features shown", 1, most, min(10, most), key="top", bind="query-params",
        help="The most important ones, in both tabs",
    )  # fmt: skip


def _how(explanation: Explanation) -> str:
    parts = [explanation.method]
    if explanation.row_count:
        parts.append(f"{formats.plural(explanation.row_count, 'row')} explained")
    if explanation.fidelity is not None:
        share = formats.percent(explanation.fidelity)
        parts.append(f"the surrogate explains {share} of the model's variance")
    return formats.plain(" · ".join(parts))


def _bars(features: Sequence[tuple[str, float]], top: int, *, key: str) -> None:
    if not features:
        st.caption("None were kept with this explanation.")
        return
    shown = features[:top]
    st.plotly_chart(
        _drawn_bars(tuple(shown), title="Mean contribution to the prediction"),
        config=charts_runs.CONFIG,
        key=f"models.importance-{key}",
        alt="Importance of "
        + ", ".join(f"{name} {formats.metric(value)}" for name, value in shown[:5]),
    )


def _not_computed(model: Model) -> None:
    st.markdown(":gray-badge[:material/help: Not computed]")
    st.caption(
        "A search explains its best model only, and only with “Explain best model” switched on. "
        "Run the search again with it on, then register the best model."
    )
    parent = model.properties.get("parent_run_id") or model.run_id
    if parent:
        st.page_link(
            navigation.to("training_runs"),
            label="Open the run",
            icon=":material/arrow_forward:",
            query_params={"run": parent},
        )
