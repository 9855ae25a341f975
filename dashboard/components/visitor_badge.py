"""Who has signed in, and the way out; before that, the way in."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, people
from dashboard.components import failures, page_header
from services.errors import AccessDeniedError


def gate() -> None:
    """Let nobody past who has not signed in, or has no role here."""
    if not people.required():
        return
    if not st.user.is_logged_in:
        page_header.show("Sign in", "This dashboard is for people its admins have named")
        st.button(
            "Sign in",
            key="visitor.in",
            type="primary",
            icon=":material/login:",
            on_click=st.login,
        )
        st.stop()
    try:
        people.visitor()
    except AccessDeniedError as error:
        failures.show(error)
        _out()
        st.stop()


def show() -> None:
    """The visitor's name and role in the sidebar."""
    visitor = people.visitor()
    if visitor is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="visitor"):
        st.caption(f"{formats.plain(visitor.name)} · {visitor.role}", width="stretch")
        _out()


def _out() -> None:
    st.button(
        "Sign out",
        key="visitor.out",
        type="tertiary",
        icon=":material/logout:",
        on_click=st.logout,
    )
