"""Which experiments' runs are listed: all where reads are free, one where each costs a request.

SDK v1 lists the runs of one experiment at a time. There the page opens on the experiment
that was looked at last, else on the newest; all of them are one choice away.
"""

from __future__ import annotations

import streamlit as st

from dashboard import economy, reads
from services.domain import Run

EVERY = "All experiments"
KEY = "experiment"  # of the widget, and its name in the address
_LAST = "runs.scope"  # what was looked at last in this session


def choices() -> list[str]:
    """What can be chosen, in order."""
    if economy.metered():
        return [*(each.name for each in reads.experiments()), EVERY]
    return [EVERY, *dict.fromkeys(run.experiment for run in reads.runs())]


def runs() -> tuple[Run, ...]:
    """Those of the chosen experiment at least."""
    if not economy.metered():
        return reads.runs()
    chosen = _chosen()
    if chosen == EVERY:
        return reads.runs_of([each.name for each in reads.experiments()])
    return reads.runs(chosen)


def nothing_yet() -> bool:
    """Whether no experiment has a run."""
    return choices() == [EVERY]


def show() -> str:
    """Draw the choice and return it."""
    offered = choices()
    chosen = st.selectbox(
        "Experiment",
        offered,
        index=offered.index(_chosen()) if economy.metered() else 0,
        key=KEY,
        bind="query-params",
        width=220,
        help="The runs of all experiments take Azure a request for each"
        if economy.metered()
        else None,
    )
    st.session_state[_LAST] = chosen
    return chosen


def _chosen() -> str:
    """What the widget will say before it is drawn."""
    offered = choices()
    asked = (st.session_state.get(KEY), st.query_params.get(KEY), st.session_state.get(_LAST))
    return next((each for each in asked if each in offered), offered[0])
