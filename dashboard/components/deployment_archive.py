"""What a deployment logged over time, searchable, with the stretches nobody read marked."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, session
from dashboard.components import failures, table_height
from services.domain import LogTail
from services.log_archive import ArchivedLog

SHOWN = 500
TALL = 14
GAP = "— lines are missing here: more was logged than can be read back —"
KEPT = "health.archive-kept"


def show(name: str, tail: LogTail, *, zone: tzinfo) -> None:
    """The archive below the log as it is now.

    Args:
        tail: what the log says now; kept where nobody collects in the background.
    """
    with st.container(border=True, key="health-archive"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Search the archive", key="health.archive-search", type="search", width=320,
                placeholder="Any text that was logged",
            )  # fmt: skip
            place = st.container(width="stretch")
        with failures.explained():
            _keep(name, tail)
            found = session.workspace().log_archive.search(name, text or "", limit=SHOWN)
        place.caption(stated(found, searched=bool((text or "").strip()), now=datetime.now(UTC)))
        if found.lines:
            _lines(found, zone)


def _keep(name: str, tail: LogTail) -> None:
    """Where no watcher reads the log, what a visitor reads is what is kept."""
    workspace = session.workspace()
    if workspace.backend == "local":
        return
    mark = (workspace.location, name, hash(tail.text))
    if st.session_state.get(KEPT) != mark:
        workspace.log_archive.keep(name, tail)
        st.session_state[KEPT] = mark


def stated(found: ArchivedLog, *, searched: bool, now: datetime) -> str:
    """How much is kept, and what was found in it, in words."""
    if found.since is None or found.read_at is None:
        return (
            "Nothing is kept yet. While the workspace is watched the end of the log is read every "
            "half minute, on Azure every few minutes, and joined here into one history."
        )
    kept = f"{formats.plural(found.line_count, 'line')} kept since {formats.utc(found.since)}"
    gaps = "no gap" if not found.gap_count else formats.plural(found.gap_count, "gap")
    words = f"{kept}, {gaps}; the last one came {formats.age(found.read_at, now=now)}."
    if searched:
        words += f" {formats.plural(found.found_count, 'line matches', 'lines match')}."
    if found.found_count > SHOWN:
        words += f" The latest {SHOWN:,} are shown."
    return words


def _lines(found: ArchivedLog, zone: tzinfo) -> None:
    latest = found.lines[::-1]
    st.dataframe(
        pd.DataFrame(
            {
                "Read": [each.read_at for each in latest],
                "Line": [GAP if each.gap else each.text for each in latest],
            }
        ),
        hide_index=True,
        height=table_height.of(len(latest), at_most=TALL),
        row_height=table_height.ROW_PX,
        column_config={
            "Read": st.column_config.DatetimeColumn(
                format="D MMM, HH:mm:ss", timezone=str(zone), width=140
            ),
            "Line": st.column_config.TextColumn(width="large"),
        },
        alt="Archived log lines, newest first",
    )
