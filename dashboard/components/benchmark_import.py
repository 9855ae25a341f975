"""Keeping a report of Apache Benchmark that was made elsewhere."""

from __future__ import annotations

import streamlit as st

from dashboard import reads, session
from dashboard.components import benchmark_form
from services.errors import ServiceError

OPEN = "benchmark.importing"


def ask() -> None:
    """Open the dialog in this rerun."""
    st.session_state[OPEN] = True


def show() -> None:
    """Draw the dialog while it is open."""
    if st.session_state.get(OPEN):
        _dialog()


def _dismiss() -> None:
    st.session_state.pop(OPEN, None)


@st.dialog("Import a report", width="large", on_dismiss=_dismiss)
def _dialog() -> None:
    st.caption(
        "All that ab printed, from any verbosity. Request headers, and with them the key, "
        "are removed before anything is stored."
    )
    name = st.text_input("Name", key="benchmark.import_name", placeholder="ACI, 10 requests")
    file = st.file_uploader("File", type=["txt", "log", "out"], key="benchmark.import_file")
    pasted = st.text_area(
        "or paste it", key="benchmark.import_text", height=220, disabled=file is not None
    )
    text = file.getvalue().decode("utf-8", "replace") if file is not None else pasted or ""
    if st.button("Import", key="benchmark.import", type="primary", disabled=not text.strip()):
        try:
            kept = session.workspace().load_tests.import_report(
                (name or "").strip() or (file.name if file is not None else "Imported report"), text
            )
        except ServiceError as error:
            st.error(str(error), icon=":material/error:")
            return
        _dismiss()
        reads.clear()
        benchmark_form.open_test(kept.id)
        st.rerun()
