"""Which child run is looked at. Its id is in the address, not the text of its line."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

ADDRESS = "child"
_KEY = "runs.child"


def show(label: str, named: Mapping[str, str], *, width: int = 330) -> str:
    """Render the picker and return the chosen id.

    A widget bound to the address would write the shown text there, which changes with
    every better score.

    Args:
        named: id → text, not empty; the first one is meant when the address names none.
    """
    asked = st.query_params.get(ADDRESS)
    st.session_state[_KEY] = asked if asked in named else next(iter(named))
    chosen: str = st.selectbox(
        label, list(named), format_func=named.__getitem__, key=_KEY, width=width, on_change=_moved
    )
    return chosen


def open(run_id: str) -> None:
    """Make the address ask for this child."""
    st.query_params[ADDRESS] = run_id


def forget() -> None:
    """Make the address ask for no child in particular."""
    st.query_params.pop(ADDRESS, None)


def _moved() -> None:
    open(st.session_state[_KEY])
