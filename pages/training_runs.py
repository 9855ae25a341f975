"""Training runs: start AutoML, watch its child runs, see which is best and how good it is."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import shell
from dashboard.components import (
    automl_form,
    compare_page,
    failures,
    page_header,
    register_form,
    runs_list,
    runs_new,
    runs_scope,
    runs_view,
)


def overview() -> None:
    """Every run, or how to start the first one."""
    with page_header.show("Training runs", "Experiments and their AutoML runs"):
        runs_new.button()

    def table() -> None:
        if {"run", runs_list.COMPARE} & set(st.query_params):  # the whole page changes
            st.rerun()
        with failures.explained():
            if runs_scope.nothing_yet():
                runs_new.first_steps()
                return
            runs_list.show(runs_scope.runs(), now=datetime.now(UTC), zone=shell.zone())

    active = any(not run.status.settled for run in runs_scope.runs())
    st.fragment(table, run_every=runs_view.LIVE_S if active else shell.refresh_interval())()


with failures.explained():
    automl_form.show()
    runs_new.show()
    register_form.show()
    if chosen := st.query_params.get("run"):
        runs_view.show(chosen)
    elif compared := st.query_params.get(runs_list.COMPARE):
        compare_page.show(compared)
    else:
        overview()
