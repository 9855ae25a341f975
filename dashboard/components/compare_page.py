"""Runs of an experiment, or of all, side by side on the Training runs page."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads
from dashboard.components import compare_runs, empty, page_header, runs_list, runs_scope
from dashboard.run_facts import RunFacts


def show(experiment: str) -> None:
    """The whole page. `experiment` is a name, or the word for all of them."""
    with st.container(gap="xxsmall"):
        st.button(
            "All runs", key="compare.back", icon=":material/arrow_back:", type="tertiary",
            on_click=_back,
        )  # fmt: skip
        page_header.show("Compare runs", formats.plain(experiment))
    everywhere = experiment == runs_scope.EVERY
    scope = reads.runs(None if everywhere else experiment)
    if not scope:
        empty.show("This experiment has no run. Choose another one under All runs.")
        return
    compare_runs.show(scope)


def show_children(facts: RunFacts) -> None:
    """The child runs of one search, as a part of its own view."""
    if not facts.children:
        empty.show("No child run has started yet, so there is nothing to compare.")
        return
    compare_runs.show(facts.children, what="child run")


def _back() -> None:
    """Leave nothing of the comparison in the address: what is bound goes with its widget."""
    st.query_params.pop(runs_list.COMPARE, None)
