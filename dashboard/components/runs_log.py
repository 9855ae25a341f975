"""The log of a run or of one of its children: how much of it this is, searched, to take away."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, session
from dashboard.components import runs_child, runs_list
from dashboard.run_facts import RunFacts
from services.domain import LogTail, Run

LIMITS = (200, 1000, 5000)
TALL, HEIGHT = 24, 560  # lines from which the log scrolls, pixels it then has


def show(facts: RunFacts) -> None:
    named = {facts.run.id: f"{runs_list.title(facts.run)} (the search itself)"}
    named |= {child.id: _label(child) for child in facts.children}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = runs_child.show("Log of", named, width=380)
        limit = st.selectbox("At most", LIMITS, index=1, key="runs.log-limit", width=130,
                             format_func=lambda lines: f"{lines:,} lines")  # fmt: skip
        text = st.text_input(
            "Search", key="runs.log-search", type="search", live=True, width=260,
            placeholder="Only lines with …",
        )  # fmt: skip
        st.space("stretch")
        download = st.container(width="content")
    run = facts.child(chosen) or facts.run
    if run.error:
        st.error(run.error, icon=":material/error:")
    tail = session.workspace().runs.logs(run.id, line_limit=limit)
    lines = matching(tail.text, text or "")
    st.caption(stated(tail, shown=len(lines) if text else None))
    # The container scrolls, not the code inside: it holds the copy button, so the keyboard
    # reaches it.
    with st.container(
        height=HEIGHT if len(lines) > TALL else "content",
        border=False,
        autoscroll=not run.status.settled,
        key="runs.log",
    ):
        st.code(
            "\n".join(lines) or ("No line matches." if text else "Nothing written yet."),
            language=None,
            wrap_lines=True,
        )
    with download:
        st.download_button(
            "Download",
            tail.text,
            file_name=f"{run.id}.log",
            mime="text/plain",
            key="runs.log-download",
            icon=":material/download:",
            on_click="ignore",
            disabled=not tail.text,
            help="What was read: see the line below for how much of the log that is",
        )


def matching(log: str, text: str) -> list[str]:
    """The lines that contain the text, whatever its case; every line without one."""
    needle = text.casefold()
    return [line for line in log.splitlines() if needle in line.casefold()]


def stated(tail: LogTail, *, shown: int | None) -> str:
    """How much of the log is here, in words."""
    found = "" if shown is None else f"{formats.plural(shown, 'line')} found in "
    size = formats.plural(tail.line_count, "line")
    if tail.complete:
        return f"{found}{'the' if found else 'The'} whole log, {size}."
    last = f"{'the' if found else 'The'} last {size}"
    return f"{found}{last} only; the log is longer. Read up to {LIMITS[-1]:,} lines with “At most”."


def _label(child: Run) -> str:
    failed = f" · {child.status.value}" if child.error else ""
    return f"{child.number} {child.display_name}{failed}"
