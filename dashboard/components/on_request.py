"""The button that asks for what is dear, beside a sentence that says why it was not asked for."""

from __future__ import annotations

import streamlit as st

from dashboard import economy


def show(key: str, reason: str, label: str, *, icon: str = ":material/search:") -> bool:
    """Whether to go on and read it; draws the button where that is still to be decided."""
    if economy.wanted(key):
        return True
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(reason, width="content")
        st.button(
            label, key=f"{key}.ask", type="tertiary", icon=icon,
            on_click=economy.ask, args=(key,),
        )  # fmt: skip
    return False
