"""An empty workspace: what the flow is, and the two ways to fill it."""

from __future__ import annotations

import streamlit as st

from dashboard.components import flow_runner
from services.domain import FlowProgress

STEPS = (
    (
        "dataset",
        ":material/table_view:",
        "Register a dataset",
        "a CSV or Parquet file, or a sample",
    ),
    ("training_runs", ":material/model_training:", "Train with AutoML", "and register the best"),
    ("models", ":material/deployed_code:", "Deploy the model", "behind a key, with App Insights"),
    ("live_scoring", ":material/bolt:", "Score rows", "from a form, JSON or a CSV file"),
    ("benchmark_results", ":material/speed:", "Benchmark it", "with Apache Benchmark"),
    ("pipeline_schedules", ":material/event_repeat:", "Schedule retraining", "every 24 hours"),
)


def show(progress: FlowProgress | None) -> None:
    """Draw both ways, side by side."""
    whole, single = st.columns(2)
    with whole.container(border=True, height="stretch", key="start-whole"):
        st.markdown("##### Fill this workspace in one go")
        st.markdown(
            "Registers the Bank Marketing data, lets AutoML find a model, deploys it behind a key, "
            "turns Application Insights on, scores rows, benchmarks it with `ab`, and schedules "
            f"retraining every 24 hours. All of it real, on this machine, in {flow_runner.MINUTES}."
        )
        flow_runner.button(progress, primary=True, key="flow.run.first")
    with single.container(border=True, height="stretch", gap="xsmall", key="start-single"):
        st.markdown("##### Or step by step")
        for number, (page, icon, label, what) in enumerate(STEPS, 1):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.page_link(f"../pages/{page}.py", label=f"{number}. {label}", icon=icon)
                st.caption(what, width="content")
