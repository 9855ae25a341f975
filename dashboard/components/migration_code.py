"""The SDK calls behind every action, in v1 and in v2."""

from __future__ import annotations

from typing import Any

import streamlit as st

from services.migration.actions import ACTIONS
from services.migration.code import action, code

TITLES = {each.key: each.title for each in ACTIONS}


def show() -> None:
    """Choose an action, read both programs."""
    key = st.selectbox(
        "Action",
        list(TITLES),
        format_func=TITLES.__getitem__,
        key="action",
        bind="query-params",
        width=420,
    )
    _both(key)


def popover(*keys: str, **values: Any) -> None:
    """A button that opens the code of these actions, with `values` filled in.

    Args:
        keys: as in the audit log; each one is a tab.
        values: what the texts need, by name; what is missing is taken from the example.
    """
    with st.popover("Code", icon=":material/code:", key=f"code.{keys[0]}"):
        if len(keys) == 1:
            st.markdown(f"**{action(keys[0]).title}**")
            _both(keys[0], **values)
            return
        for key, tab in zip(keys, st.tabs([TITLES[key] for key in keys]), strict=True):
            with tab:
                _both(key, **values)


def _both(key: str, **values: Any) -> None:
    both = code(key, **values)
    st.caption("SDK v1 (azureml-core)")
    st.code(both.v1, language="python", wrap_lines=True)
    st.caption("SDK v2 (azure-ai-ml)" + (f": {both.v2_note}" if both.v2_note else ""))
    if both.v2:
        st.code(both.v2, language="python", wrap_lines=True)
    else:
        st.info("SDK v2 has no equivalent.", icon=":material/block:")
