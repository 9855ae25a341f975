"""What an empty place says: why it is empty, and the next step."""

from __future__ import annotations

import streamlit as st

from dashboard import navigation


def show(
    text: str, *, page: str | None = None, label: str = "", icon: str = ":material/inbox:"
) -> None:
    """One sentence and, where the next step is on another page, the way there.

    Args:
        page: File of that page, without folder or ending: ``"training_runs"``.
        label: What the link says: ``"Open Training runs"``.
    """
    with st.container(border=True, gap="small"):
        st.markdown(f":gray[{icon}] {text}")
        if page:
            st.page_link(navigation.to(page), label=label, icon=":material/arrow_forward:")
