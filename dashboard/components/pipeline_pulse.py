"""Looks from time to time whether anything changed, and redraws the page only then."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from dashboard import reads, session, shell
from dashboard.components import failures
from services.domain import Capability, PipelineRun

LIVE_S = 3.0  # between looks while a run is under way


def show() -> None:
    """Keep the tables true without redrawing what is the same: no flicker, no lost scrolling."""
    drawn = _state()
    live = any(not run.status.settled for run in _runs())

    @st.fragment(run_every=LIVE_S if live else shell.refresh_interval())
    def look() -> None:
        with failures.explained():
            if _state() != drawn:
                st.rerun()

    look()


def _runs() -> tuple[PipelineRun, ...]:
    """None where asking for all of them takes a request for every pipeline."""
    cheap = session.workspace().can(Capability.SCHEDULE_LEDGER)
    return reads.pipeline_runs() if cheap else ()


def _state() -> Hashable:
    """What the tables show, as far as it changes by itself."""
    return (
        tuple((run.id, run.status) for run in _runs()),
        tuple((each.id, each.status, each.next_fire_at) for each in reads.schedules()),
        tuple((each.name, each.state) for each in reads.components()),
    )
