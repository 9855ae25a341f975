"""Looks from time to time whether anything changed, and redraws the page only then."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from dashboard import economy, reads, shell
from dashboard.components import failures, pipeline_address
from services.domain import PipelineRun, Schedule

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
    return () if economy.metered() else reads.pipeline_runs()


def _schedules() -> tuple[Schedule, ...]:
    """None where asking for them costs a request and nobody looks at them."""
    looked_at = not economy.metered() or pipeline_address.view() == pipeline_address.SCHEDULES
    return reads.schedules() if looked_at else ()


def _state() -> Hashable:
    """What the tables show, as far as it changes by itself."""
    return (
        tuple((run.id, run.status) for run in _runs()),
        tuple((each.id, each.status, each.next_fire_at) for each in _schedules()),
        tuple((each.name, each.state) for each in reads.components()),
    )
