"""Training runs: start AutoML, watch its child runs, see which is best and how good it is."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, session, shell
from dashboard.components import (
    automl_form,
    compare_page,
    empty,
    failures,
    page_header,
    register_form,
    runs_list,
    runs_view,
)
from services.domain import Capability


def overview() -> None:
    """Every run, or how to start the first one."""
    with page_header.show("Training runs", "Experiments and their AutoML runs"):
        st.button(
            "New AutoML run",
            key="runs.new",
            type="primary",
            icon=":material/add:",
            on_click=automl_form.ask,
            disabled=not session.workspace().can(Capability.AUTOML_TRAINING),
        )

    def table() -> None:
        if {"run", runs_list.COMPARE} & set(st.query_params):  # the whole page changes
            st.rerun()
        with failures.explained():
            runs = reads.runs()
            if not runs:
                empty.show(
                    "No run yet. Register a dataset, then start an AutoML run on it.",
                    page="dataset",
                    label="Open Dataset",
                )
                return
            runs_list.show(runs, now=datetime.now(UTC), zone=shell.zone())

    active = any(not run.status.settled for run in reads.runs())
    st.fragment(table, run_every=runs_view.LIVE_S if active else shell.refresh_interval())()


with failures.explained():
    automl_form.show()
    register_form.show()
    if chosen := st.query_params.get("run"):
        runs_view.show(chosen)
    elif compared := st.query_params.get(runs_list.COMPARE):
        compare_page.show(compared)
    else:
        overview()
