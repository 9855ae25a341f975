"""What is inside one bin of the charts: its requests, exceptions and traces. The address has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, insights_view, reads, shell
from dashboard.charts_insights import Axis
from dashboard.components import insights_kql, panel
from dashboard.insights_view import View
from dashboard.readings import Stamped
from services import own_traffic
from services.app_insights.kql_details import ROW_LIMIT
from services.app_insights.wire import SEVERITIES
from services.domain import Panel, TimeWindow
from services.ports import QueryResult

ADDRESS = "at"
TALL = 380
_TABLES: Mapping[str, Panel] = MappingProxyType(
    {
        "Requests": Panel.BIN_REQUESTS,
        "Exceptions": Panel.BIN_EXCEPTIONS,
        "Traces": Panel.BIN_TRACES,
    }
)


def chosen() -> TimeWindow | None:
    """The bin the address speaks of."""
    return insights_view.read(st.query_params.get(ADDRESS))


def choose(key: str, time: Axis) -> None:
    """Write the bin that was clicked on chart `key` into the address; a second click clears it."""
    points = st.session_state[key]["selection"]["points"]
    number = next((each.get("point_index") for each in points), None)
    if number is None or not 0 <= number < len(time.starts):
        close()
        return
    start = time.starts[number]
    clicked = TimeWindow(start=start, end=start + time.bin, bin=time.bin)
    if clicked == chosen():
        close()
    else:
        st.query_params[ADDRESS] = insights_view.written(clicked)


def close() -> None:
    st.query_params.pop(ADDRESS, None)


def show(view: View) -> None:
    """The rows of the chosen bin, oldest first; nothing while none is chosen."""
    window = chosen()
    if window is None:
        st.caption(":material/ads_click: Click a point or a bar to read what is inside it.")
        return
    with st.container(border=True, key="insights-moment"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Inside {_words(window)}**", help=_utc(window), width="content")
            table = st.segmented_control(
                "Inside the bin",
                list(_TABLES),
                default="Requests",
                required=True,
                key="inside",
                bind="query-params",
                label_visibility="collapsed",
            )
            st.space("stretch")
            st.button("Close", key="insights.moment-close", icon=":material/close:", on_click=close)
        _rows(table or "Requests", view, window)


def _words(window: TimeWindow) -> str:
    zone = shell.zone()
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    form = "%H:%M:%S" if window.length < timedelta(minutes=1) else "%H:%M"
    until = format(end, form if end.date() == start.date() else f"%-d %b %Y, {form}")
    return f"{start.day} {start:%b %Y}, {start:{form}} – {until}"


def _utc(window: TimeWindow) -> str:
    start, end = (f"{each:%-d %b %H:%M:%S}" for each in (window.start, window.end))
    return f"{start} – {end} UTC, the end not included"


def _rows(table: str, view: View, window: TimeWindow) -> None:
    which = _TABLES[table]

    def fetch() -> Stamped[QueryResult]:
        result = reads.telemetry(which, window, view.deployment, view.own_traffic)
        return Stamped(result, result.fetched_at)

    def draw(result: QueryResult) -> None:
        st.dataframe(
            frame(which, result.frame),
            hide_index=True,
            key=f"insights.moment-{which.name.lower()}",
            height="content" if len(result.frame) <= 10 else TALL,
            column_config=_columns(),
            alt=f"{table} inside the chosen bin",
        )
        insights_kql.footnote(_counted(table, result), result, key="moment")

    panel.show(
        table,
        fetch,
        draw,
        key=f"moment-{which.name.lower()}",
        about=(insights_view.written(window), view.deployment, view.own_traffic),
        is_empty=lambda result: result.frame.empty,
        empty=f"No {table.lower()} in this bin.",
    )


def _counted(table: str, result: QueryResult) -> str:
    rows, represented = len(result.frame), int(result.frame["n"].sum())
    noun = table.lower().removesuffix("s")
    words = formats.plural(rows, noun)
    if rows == ROW_LIMIT:
        return f"The first {words}; there may be more."
    if represented != rows:
        return f"{words}, which stand for {formats.count(represented)}: the rest was sampled away."
    return f"{words}."


def frame(which: Panel, found: pd.DataFrame) -> pd.DataFrame:
    """The columns an operator reads."""
    columns: dict[str, Any] = {"Time": found["timestamp"]}
    if which is Panel.BIN_REQUESTS:
        columns |= {
            "Result code": found["code"],
            "Duration": found["duration_ms"],
            "Operation": found["operation"],
        }
    elif which is Panel.BIN_EXCEPTIONS:
        columns |= {"Type": found["type"], "Text": found["text"], "Where": found["problem"]}
    else:
        columns |= {"Severity": found["severity"].map(_severity), "Text": found["text"]}
    return pd.DataFrame(
        {
            **columns,
            "Deployment": found["service"],
            "Sent by": found["client_id"].map(own_traffic.sender),
            "Request id": found["request_id"],
        }
    )


def _severity(level: Any) -> str:
    return SEVERITIES[int(level)] if pd.notna(level) else ""


def _columns() -> dict[str, Any]:
    instant = st.column_config.DatetimeColumn(
        format="D MMM YYYY, HH:mm:ss.SSS", timezone=str(shell.zone())
    )
    return {
        "Time": instant,
        "Duration": st.column_config.NumberColumn("Duration (ms)", format="%.1f"),
        "Text": st.column_config.TextColumn(width="large"),
    }
