"""What made a run fail, with the line that decided; unknown stays unknown."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import formats
from services import triage
from services.domain import LogTail, Run, RunStatus
from services.triage import Cause, Triage

FAILED = (RunStatus.FAILED, RunStatus.NOT_RESPONDING)
ICONS = {
    Cause.DEPENDENCY: ":material/package_2:",
    Cause.DATA: ":material/table_view:",
    Cause.QUOTA: ":material/memory:",
    Cause.TIMEOUT: ":material/timer_off:",
    Cause.CODE: ":material/code_off:",
    Cause.UNKNOWN: ":material/help:",
}


def show(run: Run, tail: LogTail) -> None:
    """A card for a failed run; nothing for any other."""
    if run.status not in FAILED:
        return
    found = triage.triage(run.error, tail.text)
    color: Literal["gray", "red"] = "gray" if found.cause is Cause.UNKNOWN else "red"
    with st.container(border=True, gap="xsmall", key="runs-triage"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Why it failed**", width="content")
            st.badge(found.cause.value, icon=ICONS[found.cause], color=color)
            if found.line:
                st.caption(f"decided by {_place(found, tail)}", width="content")
        st.code(found.line or found.tail or "Nothing was logged.", language=None, wrap_lines=True)
        st.caption(formats.plain(found.advice))


def _place(found: Triage, tail: LogTail) -> str:
    """Where the deciding line stands; of a log read in part, only its end is known."""
    if found.line_number is None:
        return "the run's own reason"
    if tail.complete:
        return f"line {found.line_number:,}"
    before_end = tail.line_count - found.line_number
    return "the last line" if not before_end else f"the line {before_end:,} before the last"
