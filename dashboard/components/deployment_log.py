"""The log of a deployment's server: how much of it this is, filtered, folded, to take away."""

from __future__ import annotations

from datetime import tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import migration_code, table_height
from services import log_lines
from services.domain import LogTail
from services.log_lines import LogEntry, Severity

LIMIT = 5000  # lines the back end returns at most, Azure's own limit
SHOWN = 500  # entries in the table; older ones are in the download
TALL = 14
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "orange", Severity.INFO: "gray"}


def show(name: str, tail: LogTail, *, zone: tzinfo) -> None:
    with st.container(border=True, key="health-log"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Search", key="health.log-search", type="search", live=True, width=280,
                placeholder="Only entries with …",
            )  # fmt: skip
            severities = st.pills(
                "Severity",
                list(Severity),
                selection_mode="multi",
                format_func=lambda each: each.value,
                key="health.log-severity",
            )
            fold = st.toggle(
                "Fold repetitions",
                value=True,
                key="health.log-fold",
                help="Counts what is logged again and again, and Azure’s “no request id” echoes",
            )
            st.space("stretch")
            migration_code.popover("deployment.logs", name=name)
            st.download_button(
                "Download",
                tail.text,
                file_name=f"{name}.log",
                mime="text/plain",
                key="health.log-download",
                icon=":material/download:",
                on_click="ignore",
                disabled=not tail.text,
                help="The lines that were read, as they are",
            )
        every = log_lines.entries(tail.text)
        found = log_lines.matching(every, text=text or "", severities=severities or ())
        kept = log_lines.folded(found) if fold else found
        st.caption(stated(tail, shown=len(kept), of=len(every)))
        _entries(kept, zone=zone)


def stated(tail: LogTail, *, shown: int, of: int) -> str:
    """How much of the log is here, in words."""
    lines = formats.plural(tail.line_count, "line")
    here = f"The whole log, {lines}" if tail.complete else f"The last {lines}; the log is longer"
    entries = formats.plural(shown, "entry", "entries")
    cut = f", the latest {SHOWN:,} of them below" if shown > SHOWN else ""
    return f"{here}. At most {tail.limit:,} lines can be read. {entries} shown{cut}, {of:,} logged."


def _entries(kept: tuple[LogEntry, ...], *, zone: tzinfo) -> None:
    if not kept:
        st.caption(":material/inbox: No entry. Clear the search, or wait for the server to log.")
        return
    latest = kept[-SHOWN:][::-1]
    chosen = st.dataframe(
        frame(latest),
        key="health.log-table",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        width="stretch",
        height=table_height.of(len(latest), at_most=TALL),
        row_height=table_height.ROW_PX,
        alt="Log entries, newest first",
        column_config={
            "at": st.column_config.DatetimeColumn(
                "Time", format="D MMM, HH:mm:ss.SSS", timezone=str(zone), width=150
            ),
            "severity": st.column_config.MultiselectColumn(
                "Severity",
                options=[each.value for each in Severity],
                color=[_COLORS[each] for each in Severity],
                width=90,
            ),
            "count": st.column_config.NumberColumn("Times", format="%d", width=60),
            "text": st.column_config.TextColumn("Entry", width="large"),
        },
    )
    rows = chosen["selection"]["rows"]
    entry = latest[rows[0]] if rows and rows[0] < len(latest) else _worst(latest)
    if entry is not None:
        st.code(entry.text, language=None, wrap_lines=True)


def _worst(entries: tuple[LogEntry, ...]) -> LogEntry | None:
    """What is worth reading before anybody chose: the latest error, one with a traceback first."""
    errors = [each for each in entries if each.severity is Severity.ERROR]
    return next((each for each in errors if "\n" in each.text), errors[0] if errors else None)


def frame(entries: tuple[LogEntry, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "at": pd.Series([each.at for each in entries], dtype="datetime64[us, UTC]"),
            "severity": [[each.severity.value] for each in entries],
            "count": [each.count for each in entries],
            "text": [" ⏎ ".join(each.text.splitlines()[:1]) for each in entries],
        }
    )
