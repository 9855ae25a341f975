"""Every registered dataset, with its size, its age and what was made from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats
from dashboard.components import data_age, table_height
from dashboard.dataset_uses import Uses
from dashboard.readings import Data, Reading
from services.domain import Dataset

OPENED = "dataset.opened"  # the name to look at in the next rerun
SHOWN_ROWS = 6
COLUMNS = (
    "Dataset", "Version", "Rows", "Columns", "Size", "Registered", "Runs", "Models", "Rows are",
    "Source",
)  # fmt: skip


def show(datasets: Sequence[Dataset], uses: Reading[Uses], *, zone: tzinfo) -> None:
    """Draw the table; its first column opens a dataset below."""

    def opened(names: tuple[str, ...]) -> None:
        st.session_state[OPENED] = names[st.session_state["dataset.list.open"]["row"]]

    names = [dataset.name for dataset in datasets]
    synthetic = any(dataset.synthetic for dataset in datasets)
    runs, models = uses.value.counts() if isinstance(uses, Data) else ({}, {})
    unknown = 0 if isinstance(uses, Data) else None
    frame = pd.DataFrame(
        {
            "Dataset": names,
            "Version": pd.array([each.version or None for each in datasets], dtype="Int64"),
            "Rows": pd.array([dataset.row_count for dataset in datasets], dtype="Int64"),
            "Columns": pd.array([dataset.column_count for dataset in datasets], dtype="Int64"),
            "Size": pd.array([dataset.size_bytes for dataset in datasets], dtype="Int64"),
            "Registered": pd.Series(
                [each.created_at if each.readable else None for each in datasets],
                dtype="datetime64[us, UTC]",
            ),
            "Runs": pd.array([runs.get(name, unknown) for name in names], "Int64"),
            "Models": pd.array([models.get(name, unknown) for name in names], "Int64"),
            "Rows are": [["Synthetic"] if dataset.synthetic else [] for dataset in datasets],
            "Source": [
                (each.source or None) if each.readable else each.description for each in datasets
            ],
        }
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{formats.plural(len(datasets), 'dataset')}**")
        st.space("stretch")
        data_age.show(datetime.now(UTC))
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=SHOWN_ROWS),
        column_order=[name for name in COLUMNS if name != "Rows are" or synthetic],
        column_config={
            "Dataset": st.column_config.ButtonColumn(
                "Dataset", type="tertiary", alignment="left", key="dataset.list.open",
                pinned=True, on_click=opened, args=(tuple(names),), width="medium",
            ),
            "Version": st.column_config.NumberColumn("Version", help="The latest one", width=70),
            "Rows": st.column_config.NumberColumn("Rows", format="localized", width=80),
            "Columns": st.column_config.NumberColumn("Columns", width=75),
            "Size": st.column_config.NumberColumn("Size", format="bytes", width=80),
            "Registered": st.column_config.DatetimeColumn(
                "Registered", format="D MMM YYYY, HH:mm", timezone=str(zone),
                help=f"In your time zone, {zone}", width=150,
            ),
            "Runs": st.column_config.NumberColumn(
                "Used by runs", help="Training runs on any version", width=100
            ),
            "Models": st.column_config.NumberColumn(
                "Used by models", help="Models registered from those runs", width=120
            ),
            "Rows are": st.column_config.MultiselectColumn(
                "Rows are", options=["Synthetic"], color=["orange"], width=100
            ),
            "Source": st.column_config.TextColumn("Source", width="medium"),
        },
        placeholder="–",
        alt="Registered datasets with version, rows, columns, size, age and what uses them",
        key="dataset.list",
    )  # fmt: skip
