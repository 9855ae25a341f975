"""The rows behind the charts, one table at a time, and the query box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import shell
from dashboard.components import insights_captured, insights_kql, insights_query, panel
from dashboard.components.insights_charts import stamped
from dashboard.components.insights_controls import Choice
from dashboard.insights_view import View
from services.app_insights.kql import ROW_LIMIT
from services.app_insights.wire import SEVERITIES
from services.domain import Panel
from services.ports import QueryResult

HEIGHT = 420


@dataclass(frozen=True, slots=True)
class Detail:
    """One table: the question it asks, and what its absence of rows means."""

    panel: Panel
    draw: Callable[[QueryResult], None]
    empty: str


def show(choice: Choice) -> None:
    """A row of tabs, the open one in the address; only the open one asks anything."""
    handed = insights_kql.open_handed()
    first = next(iter(_DETAILS))
    tab = st.segmented_control(
        "Details",
        [*_DETAILS, insights_kql.QUERY],
        default=None if handed else first,  # a value that was just set has no default
        required=True,
        key=insights_kql.TAB,
        bind="query-params",
        label_visibility="collapsed",
    )
    tab = tab or first
    if tab == insights_kql.QUERY:
        insights_query.show(choice.view())
        return

    @st.fragment(run_every=shell.refresh_interval())
    def live() -> None:
        _show(tab, _DETAILS[tab], choice.view())

    live()


def _show(title: str, detail: Detail, view: View) -> None:
    def draw(result: QueryResult) -> None:
        detail.draw(result)
        words = f"The {ROW_LIMIT} shown first." if len(result.frame) == ROW_LIMIT else ""
        insights_kql.footnote(words, result, key="details")

    panel.show(
        title,
        lambda: stamped(detail.panel, view),
        draw,
        key=f"details-{detail.panel.name.lower()}",
        about=view.identity,
        is_empty=lambda result: result.frame.empty,
        empty=detail.empty.format(span=view.span),
    )


# --- one table each ---------------------------------------------------------------


def _result_codes(result: QueryResult) -> None:
    frame = result.frame
    share = frame["requests"] / frame["requests"].sum()
    _table(
        pd.DataFrame(
            {
                "Result code": frame["code"],
                "Meaning": frame["code"].map(_meaning),
                "Requests": frame["requests"],
                "Share": share * 100,
                "Failed": frame["failed"],
                "p95": frame["p95_ms"],
            }
        ),
        "Requests by result code",
        {
            "Share": st.column_config.ProgressColumn(
                format="%.1f %%", min_value=0, max_value=100, width="medium"
            ),
            "Requests": _count("Requests"),
            "Failed": _count("Failed"),
            "p95": _milliseconds("p95"),
        },
    )


def _meaning(code: str) -> str:
    try:
        return HTTPStatus(int(code)).phrase
    except ValueError:
        return "No answer was sent" if code == "0" else ""


def _deployments(result: QueryResult) -> None:
    frame = result.frame
    _table(
        pd.DataFrame(
            {
                "Deployment": frame["service"],
                "Requests": frame["requests"],
                "Failed": frame["failed"],
                "Failure rate": 100 * frame["failed"] / frame["requests"],
                "p50": frame["p50_ms"],
                "p95": frame["p95_ms"],
                "p99": frame["p99_ms"],
                "Last request": frame["last_seen"],
            }
        ),
        "Requests by deployment",
        {
            "Requests": _count("Requests"),
            "Failed": _count("Failed"),
            "Failure rate": st.column_config.NumberColumn(format="%.1f %%"),
            **{name: _milliseconds(name) for name in ("p50", "p95", "p99")},
            "Last request": _instant("Last request"),
        },
    )


def _slowest(result: QueryResult) -> None:
    frame = result.frame
    _table(
        pd.DataFrame(
            {
                "Time": frame["timestamp"],
                "Duration": frame["duration_ms"],
                "Result code": frame["code"],
                "Deployment": frame["service"],
                "Operation": frame["operation"],
                "Request id": frame["request_id"],
            }
        ),
        "The slowest requests",
        {"Time": _instant("Time"), "Duration": _milliseconds("Duration")},
    )


def _exceptions(result: QueryResult) -> None:
    frame = result.frame
    _table(
        pd.DataFrame(
            {
                "Type": frame["type"],
                "Count": frame["exceptions"],
                "For example": frame["sample"],
                "Where": frame["problem"],
                "First seen": frame["first_seen"],
                "Last seen": frame["last_seen"],
            }
        ),
        "Exceptions by type",
        {
            "Count": _count("Count"),
            "For example": st.column_config.TextColumn(width="large"),
            "First seen": _instant("First seen"),
            "Last seen": _instant("Last seen"),
        },
    )


def _traces(result: QueryResult) -> None:
    frame = result.frame
    _table(
        pd.DataFrame(
            {
                "Time": frame["timestamp"],
                "Severity": frame["severity"].map(_severity),
                "Text": frame["text"],
                "Deployment": frame["service"],
                "Request id": frame["request_id"],
            }
        ),
        "What scoring scripts printed and logged",
        {"Time": _instant("Time"), "Text": st.column_config.TextColumn(width="large")},
    )


def _severity(level: Any) -> str:
    return SEVERITIES[int(level)] if pd.notna(level) else ""


_DETAILS: Mapping[str, Detail] = MappingProxyType(
    {
        "Result codes": Detail(Panel.RESULT_CODES, _result_codes, "No requests in the {span}."),
        "Deployments": Detail(Panel.DEPLOYMENTS, _deployments, "No requests in the {span}."),
        "Slowest requests": Detail(Panel.SLOWEST, _slowest, "No requests in the {span}."),
        "Exceptions": Detail(Panel.EXCEPTIONS, _exceptions, "No exceptions in the {span}."),
        "Traces": Detail(Panel.TRACES, _traces, "Nothing was printed or logged in the {span}."),
        "Inputs and outputs": Detail(
            Panel.CAPTURED,
            insights_captured.show,
            "Nothing was captured in the {span}. A scoring script that prints one JSON object "
            "with its input and its output per request is read here.",
        ),
    }
)


def _table(frame: pd.DataFrame, alt: str, columns: Mapping[str, Any]) -> None:
    rows = len(frame)
    st.dataframe(
        frame,
        hide_index=True,
        column_config=dict(columns),
        height="content" if rows <= 10 else HEIGHT,
        alt=alt,
    )


def _count(label: str) -> Any:
    return st.column_config.NumberColumn(label, format="localized")


def _milliseconds(label: str) -> Any:
    return st.column_config.NumberColumn(f"{label} (ms)", format="%.1f")


def _instant(label: str) -> Any:
    """In the viewer's zone, with the seconds."""
    return st.column_config.DatetimeColumn(
        label, format="D MMM YYYY, HH:mm:ss", timezone=str(shell.zone())
    )
