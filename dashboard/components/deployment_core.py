"""How a deployment scores: the core that was chosen for its model, and what the gate measured."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import formats
from services.domain import Deployment


def show(deployment: Deployment) -> None:
    """Nothing where the back end says nothing of it."""
    facts = deployment.properties
    if "core" not in facts:
        return
    with st.container(border=True, key="health-core"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                "**Scoring core**",
                help="A faster stand-in for the trained pipeline. It may serve only if it "
                "answers replayed rows as the pipeline does: equal labels, probabilities "
                "within 0.0001.",
            )
            st.space("stretch")
            st.badge(facts["core"], color="green" if "row_us" in facts else "gray")
        st.caption(formats.plain(facts.get("core_reason", "")))
        tiles(facts)
        if rejected := facts.get("cores_rejected"):
            with st.expander("Cores tried before", icon=":material/rule:"):
                st.caption(formats.plain(rejected))


def tiles(facts: Mapping[str, str]) -> None:
    """Cost of a row here and in the pipeline, and the gate's figures."""
    row, pipeline = _ms(facts.get("row_us")), _ms(facts.get("pipeline_row_us"))
    if row is None:
        return
    cost, gate = st.columns(2)
    faster = f"{pipeline / row:,.0f}× less than the pipeline" if pipeline and row else None
    cost.metric("CPU for one row", formats.milliseconds(row))
    if faster and pipeline and pipeline > row:
        cost.caption(faster)
    if "parity_rows" in facts:
        gate.metric("Rows compared", formats.count(int(facts["parity_rows"])))
        gate.caption(f"largest difference {facts.get('parity_largest_difference', '–')}")


def _ms(microseconds: str | None) -> float | None:
    return None if microseconds is None else float(microseconds) / 1000
