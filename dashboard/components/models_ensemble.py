"""What an ensemble is made of: its members and how much each one says."""

from __future__ import annotations

import streamlit as st

from dashboard import charts_runs, formats, reads
from services.domain import EnsembleMember, Model


def show(model: Model) -> None:
    with st.container(border=True):
        members = reads.ensemble(model.run_id) if model.run_id else ()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Ensemble**")
            st.space("stretch")
            if members:
                total = sum(member.weight for member in members)
                st.caption(
                    f"{formats.plural(len(members), 'member')}, weights sum to "
                    f"{formats.metric(total)}",
                    width="content",
                )
        if not members:
            st.caption(
                f"{formats.plain(model.algorithm or 'This model')} is a single model, "
                "not an ensemble."
            )
            return
        rows = [(label(member), member.weight) for member in members]
        st.plotly_chart(
            charts_runs.bars(rows, title="Weight in the vote"),
            config=charts_runs.CONFIG,
            key="models.ensemble",
            alt="Ensemble weights: "
            + ", ".join(f"{name} {formats.metric(weight)}" for name, weight in rows),
        )


def label(member: EnsembleMember) -> str:
    """Its algorithm and which iteration trained it; one algorithm may sit there twice."""
    _, separator, iteration = member.run_id.rpartition("_")
    known = separator and iteration.isdigit()
    return f"{member.algorithm} · iteration {iteration}" if known else member.algorithm
