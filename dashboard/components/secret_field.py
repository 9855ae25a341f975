"""A secret that is read only while it is shown, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.components import failures

MASK = "•" * 32


def show(label: str, fetch: Callable[[], str], *, key: str) -> None:
    """The masked secret with a switch that reveals it; `fetch` is called only then.

    The value goes from the port straight to the screen: not into the session, a cache,
    a log or the address. Leaving the page hides it again.
    """
    with st.container(gap="xxsmall", key=f"secret-{key}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(label, width="content")
            st.space("stretch")
            revealed = st.toggle("Show", key=f"{key}.show")
        if not revealed:
            st.code(MASK, language=None)
            return
        with failures.reported():
            st.code(fetch(), language=None)
