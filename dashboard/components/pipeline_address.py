"""Where on the pipelines page one is: the tab, and what is open in it, all in the address."""

from __future__ import annotations

import streamlit as st

SCHEDULES, PIPELINES, RUNS, BATCH = "Schedules", "Pipelines", "Runs", "Batch inference"
RETRAINING = "Retraining"
VIEWS = (SCHEDULES, PIPELINES, RUNS, RETRAINING, BATCH)
VIEW = "view"  # the tabs' key, and their name in the address
_GOING = "pipelines.going"


def go(view: str | None = None, **opened: str) -> None:
    """Be there in the next rerun: `opened` names what is looked at, ``run="…"``."""
    st.session_state[_GOING] = (view, opened)


def going() -> bool:
    """Whether a journey was begun that this page, or another, has not yet ended."""
    return _GOING in st.session_state


def arrive() -> None:
    """Put a journey begun by `go` into the address. Called before the tabs are drawn."""
    view, opened = st.session_state.pop(_GOING, (None, {}))
    if view is not None:
        st.session_state[VIEW] = view
    st.query_params.update(opened)


def view() -> str:
    """The tab that is, or is about to be, looked at."""
    chosen = str(st.session_state.get(VIEW) or st.query_params.get(VIEW) or SCHEDULES)
    return chosen if chosen in VIEWS else SCHEDULES


def opened(name: str) -> str | None:
    """The id of what the address asks to look at: a schedule, a pipeline, a run."""
    return st.query_params.get(name)


def open(name: str, value: str) -> None:
    """Look at this one from now on. For callbacks: the rerun that follows shows it."""
    st.query_params[name] = value


def close(name: str) -> None:
    st.query_params.pop(name, None)
