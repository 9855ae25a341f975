"""Overview: the flow from dataset to schedule, how it stands, and what needs attention."""

import streamlit as st

from dashboard import overview_board, overview_facts, shell
from dashboard.components import (
    failures,
    flow_runner,
    flow_strip,
    lineage_strip,
    overview_attention,
    overview_cards,
    overview_start,
    page_header,
)
from services import flow_state

RUNNING_S, UNSETTLED_S = 1.0, 5.0  # between refreshes


def pace(facts: overview_facts.Facts) -> float | None:
    """Seconds between refreshes: fast only while something is on its way."""
    if facts.progress is not None and facts.progress.running:
        return RUNNING_S
    return UNSETTLED_S if facts.unsettled else shell.refresh_interval()


def draw(facts: overview_facts.Facts) -> None:
    """The whole page below its title, from one set of answers."""
    entries = overview_board.entries(facts)
    empty = flow_state.is_empty(facts.answers)
    with page_header.show("Overview", f"From dataset to schedule · {shell.window_label()}"):
        if not empty:
            overview_attention.badge(entries, facts)
            flow_runner.button(facts.progress, primary=False)
    if facts.progress is not None:
        flow_runner.show(facts.progress, now=facts.now)
    flow_strip.show(flow_state.stages(facts.answers, facts.progress), now=facts.now)
    if empty and not (facts.progress and facts.progress.running):
        overview_start.show(facts.progress)
        return
    lineage_strip.overview(facts)
    cards, needs = st.columns([3, 2])
    with cards:
        overview_cards.show(facts)
    with needs:
        overview_attention.show(entries, facts)


with failures.explained():
    fresh = [overview_facts.gather(shell.window())]
    every = pace(fresh[0])

    @st.fragment(run_every=every)
    def live() -> None:
        facts = fresh.pop() if fresh else overview_facts.gather(shell.window())
        if pace(facts) != every:
            st.rerun()  # with another timer, or none
        draw(facts)

    live()
