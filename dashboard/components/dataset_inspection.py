"""What registering a file would store: looked at before anything is stored."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from dashboard import formats, session
from dashboard.components import failures, table_height
from services.domain import DataSource, Inspection
from services.errors import ServiceError

KEPT = "dataset.inspection"  # what was found out, with what it was found out about
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def show(source: DataSource) -> bool:
    """Draw the dry run; true when the file could be read."""
    found = _inspected(source)
    if isinstance(found, ServiceError):
        failures.show(found)
        return False
    _draw(found)
    return True


def forget() -> None:
    st.session_state.pop(KEPT, None)


def _inspected(source: DataSource) -> Inspection | ServiceError:
    """Asked once per file and choice of dialect, not on every rerun of the dialog."""
    identity = (
        source.kind,
        source.location,
        hashlib.sha256(source.content or b"").hexdigest(),
        source.delimiter,
        source.decimal,
        source.encoding,
    )
    kept = st.session_state.get(KEPT)
    if kept is None or kept[0] != identity:
        with st.spinner("Reading the file…"):
            kept = (identity, _ask(source))
        st.session_state[KEPT] = kept
    answer: Inspection | ServiceError = kept[1]
    return answer


def _ask(source: DataSource) -> Inspection | ServiceError:
    try:
        return session.workspace().datasets.inspect(source)
    except ServiceError as error:  # kept, and shown by whoever asked
        return error


def _draw(found: Inspection) -> None:
    st.markdown(
        f"**{formats.plural(found.row_count, 'row')}, "
        f"{formats.plural(len(found.columns), 'column')}** · {_written(found)}"
    )
    for warning in found.warnings:
        st.warning(formats.sentence(warning), icon=":material/info:")
    frame = pd.DataFrame(
        {
            "Column": list(found.columns),
            "Type": list(found.columns.values()),
            "First rows": [
                ", ".join(_cell(row.get(name)) for row in found.head[:5]) for name in found.columns
            ],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=7),
        column_config={
            "Type": st.column_config.TextColumn("Type", width=90),
            "First rows": st.column_config.TextColumn("First rows", width="large"),
        },
        alt="Columns of the file with their types and first values",
        key="dataset.inspection.columns",
    )


def _written(found: Inspection) -> str:
    if found.format != "CSV":
        return found.format
    decimal = "comma" if found.decimal == "," else "point"
    delimiter = NAMES.get(found.delimiter or "", "")
    return f"CSV, separated by {delimiter}, decimal {decimal}, {found.encoding}"


def _cell(value: object) -> str:
    return "∅" if value is None else str(value)
