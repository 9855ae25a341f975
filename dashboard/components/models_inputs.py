"""What a row for a model must look like."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import formats, reads
from dashboard.components import empty
from services import guardrails
from services.domain import ColumnContract, Model
from services.errors import NotFoundError


def show(model: Model) -> None:
    try:
        contract = reads.model_contract(model.id)
    except NotFoundError:
        empty.show("This model was registered without a data contract, so its inputs are unknown.")
        return
    if warning := guardrails.leak([column.name for column in contract.columns]):
        st.warning(warning, icon=":material/visibility_off:")
    predicts = f"Predicts **{formats.plain(contract.label or 'a value')}**"
    if contract.classes:
        predicts += ": " + formats.plain(" or ".join(contract.classes))
    st.caption(f"{formats.plural(len(contract.columns), 'input')}. {predicts}.")
    st.dataframe(
        pd.DataFrame(
            {
                "Column": [column.name for column in contract.columns],
                "Type": [column.type.value for column in contract.columns],
                "Values": [values(column) for column in contract.columns],
                "May be missing": [column.nullable for column in contract.columns],
                "Example": [
                    None if column.example is None else str(column.example)
                    for column in contract.columns
                ],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            "Values": st.column_config.TextColumn(
                "Seen in training", width="large", help="Other values are unusual, not refused"
            )
        },
        placeholder="–",
        alt="Input columns with type, seen values and an example",
        key="models.inputs",
    )


def values(column: ColumnContract) -> str:
    """The range or the categories seen when the model was trained."""
    if column.categories:
        return ", ".join(column.categories)
    if column.minimum is None or column.maximum is None:
        return ""
    seen = f"{column.minimum:,.6g} to {column.maximum:,.6g}"
    if column.sentinels:
        seen += f"; {', '.join(f'{value:g}' for value in column.sentinels)} stands for none"
    return seen
