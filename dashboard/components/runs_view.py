"""One run: its header, and the part of it that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, run_facts, shell
from dashboard.components import (
    compare_page,
    failures,
    runs_bands,
    runs_charts,
    runs_header,
    runs_leaderboard,
    runs_log,
    runs_metrics,
    runs_settings,
    runs_triage,
)
from dashboard.run_facts import RunFacts

LIVE_S = 2.0  # between refreshes while a run is under way

VIEWS: dict[str, Callable[[RunFacts], None]] = {
    runs_leaderboard.FIRST: runs_leaderboard.show,
    "Metrics": runs_metrics.show,
    "Compare": compare_page.show_children,
    "Charts": runs_charts.show,
    "Bands": runs_bands.show,
    "Settings": runs_settings.show,
    "Logs": runs_log.show,
}


def show(run_id: str) -> None:
    """Refreshes on its own while the run is under way."""
    settled = reads.run(run_id).status.settled

    @st.fragment(run_every=shell.refresh_interval() if settled else LIVE_S)
    def live() -> None:
        with failures.explained():
            run = reads.run(run_id)
            if run.status.settled and not settled:
                st.rerun()  # once more, whole, and then no timer
            facts = run_facts.gather(run)
            runs_header.show(facts, now=datetime.now(UTC), zone=shell.zone())
            runs_bands.notice(facts)
            view = _view()
            if run.status in runs_triage.FAILED and view != runs_log.VIEW:
                runs_triage.show(run, reads.run_log(run.id))  # there it is about any run
            VIEWS[view](facts)

    live()


def _view() -> str:
    """The part chosen here, by a link, or by a click that leads to it."""
    key, first = runs_leaderboard.VIEW, runs_leaderboard.FIRST
    moved = key in st.session_state  # then a default would be a second opinion
    chosen: str | None = st.segmented_control(
        "View", list(VIEWS), default=None if moved else first, required=True, key=key,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    return chosen or first
