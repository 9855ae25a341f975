"""A question of the operator's own, in KQL. Reading only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard import formats, reads, session, shell
from dashboard.components import data_age, failures
from dashboard.components.insights_kql import BOX
from dashboard.insights_view import View
from services.app_insights import kql
from services.ports import QueryResult

ROWS_SHOWN = 5_000
ASKED = "insights.asked"  # the text that was last run


def show(view: View) -> None:
    """The box, and the answer to what was last run."""
    st.session_state.setdefault(BOX, _example(view))
    with st.container(border=True):
        with st.form("insights.query", border=False):
            st.text_area(
                "KQL",
                key=BOX,
                height=190,
                help="Tables: requests, exceptions, traces, dependencies, customEvents, "
                "customMetrics, availabilityResults. Ctrl+Enter runs the query.",
            )
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.form_submit_button(
                    "Run query", key="insights.run", type="primary", icon=":material/play_arrow:"
                ):
                    st.session_state[ASKED] = st.session_state[BOX]
                with failures.reported():
                    st.caption(f"Asks {formats.plain(session.workspace().telemetry.resource)}.")
        if asked := st.session_state.get(ASKED):
            with failures.reported():
                _answer(reads.telemetry_query(asked))


def _example(view: View) -> str:
    start = kql.instant(view.window.start)
    return (
        f"requests\n| where timestamp >= {start}\n"
        "| summarize requests = sum(itemCount), p95_ms = percentile(duration, 95)"
        " by cloud_RoleName, resultCode\n| order by requests desc"
    )


def _answer(result: QueryResult) -> None:
    frame = result.frame
    rows = formats.plural(len(frame), "row")
    shown = f", the first {formats.count(ROWS_SHOWN)} shown" if len(frame) > ROWS_SHOWN else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{rows}{shown} in {formats.milliseconds(result.elapsed_ms)}")
        data_age.show(result.fetched_at)
    if result.partial:
        st.warning(result.partial, icon=":material/warning:")
    zone = str(shell.zone())
    instants: dict[str, Any] = {
        name: st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", timezone=zone)
        for name in frame.select_dtypes("datetimetz").columns
    }
    st.dataframe(
        frame.head(ROWS_SHOWN), hide_index=True, column_config=instants, alt="Answer to the query"
    )
    st.download_button(
        "Download CSV",
        lambda: frame.to_csv(index=False),
        file_name=f"telemetry-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv",
        mime="text/csv",
        key="insights.csv",
        icon=":material/download:",
    )
