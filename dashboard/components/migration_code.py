"""The SDK calls behind every action, in v1 and in v2."""

from __future__ import annotations

from typing import Any

import streamlit as st

from services.migration.actions import ACTIONS
from services.migration.code import code

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
    """A quiet button that opens the code of these actions, with `values` filled in.

    Nothing of it is made before it is opened.

    Args:
        keys: as in the registry; each one is a tab.
        values: what the texts need, by name, never a secret; what is missing is taken from
            the example.
    """
    key = f"code.{'+'.join(keys)}"
    opened = st.popover(
        "Code",
        icon=":material/code:",
        type="tertiary",
        key=key,
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        if len(keys) == 1:
            st.markdown(f"**{TITLES[keys[0]]}**")
            _both(keys[0], **values)
            return
        chosen = st.selectbox(
            "Action",
            keys,
            format_func=TITLES.__getitem__,
            key=f"{key}.which",
            label_visibility="collapsed",
        )
        _both(chosen, **values)


def _both(key: str, **values: Any) -> None:
    both = code(key, **values)
    st.caption("SDK v1 (azureml-core)")
    st.code(both.v1, language="python", wrap_lines=True)
    st.caption("SDK v2 (azure-ai-ml)" + (f": {both.v2_note}" if both.v2_note else ""))
    if both.v2:
        st.code(both.v2, language="python", wrap_lines=True)
    else:
        st.info("SDK v2 has no equivalent.", icon=":material/block:")
