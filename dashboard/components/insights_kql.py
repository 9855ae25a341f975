"""The query behind what is shown: to read, to copy, to change."""

from __future__ import annotations

import streamlit as st

from services.ports import QueryResult

BOX = "insights.kql"  # the query box's text
HANDED = "insights.handed"  # a query on its way to the box
TAB = "details"  # which table is open, in the address
QUERY = "Query"  # the name of the box's tab


def footnote(text: str, result: QueryResult, *, key: str) -> None:
    """A line under a chart: what it says, and at its right the KQL that drew it."""
    if result.partial:
        st.caption(f":orange[:material/warning: Not all rows came: {result.partial}]")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(text, width="stretch")
        opened = st.popover(
            "KQL", icon=":material/code:", type="tertiary", key=f"kql-{key}", on_change="rerun"
        )
    if opened.open:
        with opened:
            st.code(result.kql, language="sql", wrap_lines=True)
            if st.button("Open in the query box", key=f"kql-open-{key}", icon=":material/edit:"):
                st.session_state[HANDED] = result.kql
                st.rerun()  # the box is outside the part that refreshes on its own


def open_handed() -> bool:
    """Give the box the query that was to be opened there, if there is one; whether there was."""
    kql = st.session_state.pop(HANDED, None)
    if kql is not None:
        st.session_state[BOX] = kql
        st.session_state[TAB] = QUERY
    return kql is not None
