"""Inputs and outputs that scoring scripts printed: a table, and one row in full."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, shell
from services.app_insights import captured
from services.app_insights.captured import CapturedRow
from services.ports import QueryResult

KEY = "insights.captured"


def show(result: QueryResult) -> None:
    """The rows, newest first; the chosen one is shown whole."""
    rows = captured.read(result.frame.to_dict("records"))
    if not rows:
        st.caption("JSON was printed, but none of it names an input or an output.")
        return
    cut = sum(row.truncated for row in rows)
    near = sum(row.near_limit and not row.truncated for row in rows)
    if cut:
        st.warning(
            f"{formats.plural(cut, 'payload')} arrived truncated: Application Insights cuts what "
            "is too long. Print fewer rows or columns to capture them whole.",
            icon=":material/content_cut:",
        )
    elif near:
        st.caption(
            f":material/warning: {formats.plural(near, 'payload is', 'payloads are')} near the "
            "limit at which Application Insights truncates."
        )
    chosen = st.dataframe(
        _frame(rows),
        hide_index=True,
        key=KEY,
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(rows) <= 10 else 380,
        column_config={
            "Time": st.column_config.DatetimeColumn(
                format="D MMM YYYY, HH:mm:ss", timezone=str(shell.zone())
            ),
            "Input": st.column_config.TextColumn(width="large"),
            "Output": st.column_config.TextColumn(width="medium"),
        },
        alt="Captured inputs and outputs",
    )
    selected = chosen.selection.rows
    if selected and selected[0] < len(rows):
        _whole(rows[selected[0]])


def _frame(rows: tuple[CapturedRow, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Time": [row.at for row in rows],
            "Deployment": [row.deployment for row in rows],
            "Input": [row.input[:2000] for row in rows],
            "Output": [row.output[:500] for row in rows],
            "Size": [formats.size(row.size_bytes) for row in rows],
            "Whole": ["truncated" if row.truncated else "yes" for row in rows],
            "Request id": [row.request_id for row in rows],
        }
    )


def _whole(row: CapturedRow) -> None:
    left, right = st.columns(2, gap="small")
    left.caption("Input, truncated" if row.truncated else "Input")
    left.code(_indented(row.input), language="json", height=240)
    right.caption("Output")
    right.code(_indented(row.output) or "not captured", language="json", height=240)


def _indented(text: str) -> str:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text  # cut, or plain text
    return json.dumps(value, indent=2, ensure_ascii=False)
