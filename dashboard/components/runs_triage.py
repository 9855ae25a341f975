"""What made a run fail, with the line that decided; unknown stays unknown."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import formats
from services import triage
from services.domain import Run, RunStatus
from services.triage import Cause

FAILED = (RunStatus.FAILED, RunStatus.NOT_RESPONDING)
ICONS = {
    Cause.DEPENDENCY: ":material/package_2:",
    Cause.DATA: ":material/table_view:",
    Cause.QUOTA: ":material/memory:",
    Cause.TIMEOUT: ":material/timer_off:",
    Cause.CODE: ":material/code_off:",
    Cause.UNKNOWN: ":material/help:",
}


def show(run: Run, log: str) -> None:
    """A card for a failed run; nothing for any other."""
    if run.status not in FAILED:
        return
    found = triage.triage(run.error, log)
    color: Literal["gray", "red"] = "gray" if found.cause is Cause.UNKNOWN else "red"
    with st.container(border=True, gap="xsmall", key="runs-triage"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Why it failed**", width="content")
            st.badge(found.cause.value, icon=ICONS[found.cause], color=color)
            if found.line:
                place = f"line {found.line_number:,}" if found.line_number else "the run's reason"
                st.caption(f"decided by {place}", width="content")
        st.code(found.line or found.tail or "Nothing was logged.", language=None, wrap_lines=True)
        st.caption(formats.plain(found.advice))
