"""Each asset of the open workspace with its target in SDK v2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import empty, table_height
from services.migration.report import Effort, Move

MOST_ROWS = 14  # the table scrolls beyond


def show(moves: Sequence[Move]) -> None:
    """Draw the totals and the table, with a download."""
    if not moves:
        empty.show(
            "This workspace holds nothing to move yet. Register a dataset to begin.",
            page="dataset",
            label="Open Dataset",
        )
        return
    rows = table(moves)
    counts = Counter(move.effort for move in moves)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            formats.plural(len(moves), "asset")
            + ": "
            + ", ".join(f"{counts[each]} {each.value}" for each in Effort if counts[each]),
            width="stretch",
        )
        st.download_button(
            "Download CSV",
            rows.to_csv(index=False),
            "migration.csv",
            "text/csv",
            icon=":material/download:",
            key="migration.csv",
            on_click="ignore",
        )
    st.dataframe(
        rows,
        hide_index=True,
        height=table_height.of(len(rows), at_most=MOST_ROWS),
        column_config={
            "Source": st.column_config.LinkColumn(display_text="article", width="small"),
            "Note": st.column_config.TextColumn(width="large"),
        },
        alt="Assets with their kind, name, target in SDK v2, effort, note and source",
    )


def table(moves: Sequence[Move]) -> pd.DataFrame:
    """One row per asset."""
    return pd.DataFrame(
        {
            "Asset": [move.kind for move in moves],
            "Name": [move.name for move in moves],
            "In SDK v2": [move.target for move in moves],
            "Effort": [move.effort.value for move in moves],
            "Note": [move.note for move in moves],
            "Source": [move.source for move in moves],
        }
    )
