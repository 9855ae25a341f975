"""The data contract: what a row must look like, as a table and as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, session
from dashboard.components import table_height
from services import data_contract
from services.domain import ColumnContract, DataContract, Dataset


def show(dataset: Dataset, target: str) -> None:
    """Draw the contract of every column but `target`."""
    contract = session.workspace().datasets.contract(dataset.name, dataset.version, label=target)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(_predicts(contract), width="stretch")
        st.download_button(
            "Download JSON",
            data_contract.to_json(contract),
            file_name=f"{dataset.name}-{dataset.version}-contract.json",
            mime="application/json",
            icon=":material/download:",
            key="dataset.contract.download",
            on_click="ignore",
        )
    st.caption(
        "Derived from the data and kept with every model trained on it: the scoring form, the CSV "
        "check and the scoring server read it. A value of another type is refused; one outside "
        "the range or the values is pointed out."
    )
    frame = pd.DataFrame([_row(column) for column in contract.columns])
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=30),
        column_config={
            "Column": st.column_config.TextColumn("Column", pinned=True, width=130),
            "Type": st.column_config.TextColumn("Type", width=80),
            "May be empty": st.column_config.TextColumn("May be empty", width=100),
            "Range": st.column_config.TextColumn("Range", help="Seen in the data", width=150),
            "Stands for none": st.column_config.TextColumn(
                "Stands for none", width=120,
                help="A number outside the range that the data uses for “no value”",
            ),
            "Values": st.column_config.ListColumn(
                "Values", width="large", help="Every value seen, most frequent first"
            ),
            "Example": st.column_config.TextColumn("Example", width=120),
        },
        placeholder="–",
        alt="Data contract: every feature with its type, range, allowed values and an example",
        key="dataset.contract",
    )  # fmt: skip


def _predicts(contract: DataContract) -> str:
    count = formats.plural(len(contract.columns), "feature")
    if not contract.label:
        return count
    classes = ", ".join(map(formats.plain, contract.classes)) or "a number"
    return f"{count} predict **{formats.plain(contract.label)}**: {classes}"


def _row(column: ColumnContract) -> dict[str, Any]:
    return {
        "Column": column.name,
        "Type": column.type.value,
        "Example": None if column.example is None else str(column.example),
        "May be empty": "yes" if column.nullable else None,
        "Range": None
        if column.minimum is None
        else f"{formats.number(column.minimum)} to {formats.number(column.maximum)}",
        "Stands for none": ", ".join(map(formats.number, column.sentinels)) or None,
        "Values": list(column.categories),
    }
