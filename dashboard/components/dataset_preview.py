"""The first rows of a dataset, as many as asked for."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, session
from dashboard.components import migration_code, table_height
from services.domain import Dataset

LIMIT = 1_000
DEFAULT = 10


def show(dataset: Dataset) -> None:
    """Draw the choice of how many, and the rows in file order."""
    count = st.number_input(
        "Rows", 1, LIMIT, DEFAULT, key="rows", bind="query-params", width=150, step=5,
        help=f"The first rows of the file, at most {formats.count(LIMIT)}.",
    )  # fmt: skip
    migration_code.popover(
        "dataset.preview", name=dataset.name, version=dataset.version, rows=int(count)
    )
    head = session.workspace().datasets.head(dataset.name, dataset.version, int(count))
    st.dataframe(
        head,
        height=table_height.of(len(head), at_most=18),
        alt=f"The first {len(head)} rows of {dataset.id}",
        placeholder="missing",
        key="dataset.preview",
        column_config={
            "_index": st.column_config.NumberColumn("row", help="Counted from 0", width=60)
        },
    )
    st.caption(_shown(len(head), dataset.row_count))


def _shown(shown: int, count: int | None) -> str:
    """Which rows these are; how many there are is not always known."""
    if not shown:
        return "The file has no rows."
    of = "" if count is None else f" of {formats.count(count)}"
    return f"Rows 0 to {shown - 1}{of}, in file order."
