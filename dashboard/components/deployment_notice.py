"""A sentence for the next rerun: what an action has begun or done.

A toast drawn just before a rerun goes with the old page, so it is kept until the new one.
"""

from __future__ import annotations

import streamlit as st

_KEPT = "health.notice"


def keep(text: str, *, icon: str) -> None:
    """Say `text` once the page is drawn again."""
    st.session_state[_KEPT] = (text, icon)


def show() -> None:
    """Say what was kept, if anything. Called once, outside every fragment."""
    kept: tuple[str, str] | None = st.session_state.pop(_KEPT, None)
    if kept is not None:
        st.toast(kept[0], icon=kept[1])
