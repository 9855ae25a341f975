"""The first line of every page: what this is, and what can be done from here."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def show(title: str, subtitle: str = "") -> DeltaGenerator:
    """The title with its subtitle; returns the place for badges and buttons at the right."""
    with st.container(horizontal=True, vertical_alignment="center", key="page-header"):
        with st.container(gap="xxsmall", width="stretch"):
            st.title(title, anchor=False)
            if subtitle:
                st.caption(subtitle)
        return st.container(
            horizontal=True,
            horizontal_alignment="right",
            vertical_alignment="center",
            width="content",
            key="page-actions",
        )
