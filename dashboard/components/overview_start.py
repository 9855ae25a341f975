"""An empty workspace: what the flow is, and the ways to fill it that this back end has."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import navigation, session
from dashboard.components import flow_runner
from services.domain import Capability, FlowProgress

STEPS = (
    ("dataset", ":material/table_view:", "Register a dataset", "a CSV or Parquet file"),
    ("training_runs", ":material/model_training:", "Train with AutoML", "and register the best"),
    ("models", ":material/deployed_code:", "Deploy the model", "behind a key, with App Insights"),
    ("live_scoring", ":material/bolt:", "Score rows", "from a form, JSON or a CSV file"),
    ("benchmark_results", ":material/speed:", "Benchmark it", "with Apache Benchmark"),
    ("pipeline_schedules", ":material/event_repeat:", "Schedule retraining", "every 24 hours"),
)
ELSEWHERE = {"training_runs": "by submitting a published pipeline"}  # where AutoML is not started


def show(progress: FlowProgress | None) -> None:
    """Draw both ways, side by side; step by step only, where the whole would cost money."""
    if not session.workspace().can(Capability.WHOLE_FLOW):
        _steps(st.container(border=True, gap="xsmall", key="start-single"), "Step by step")
        return
    whole, single = st.columns(2)
    with whole.container(border=True, height="stretch", key="start-whole"):
        st.markdown("##### Fill this workspace in one go")
        st.markdown(
            "Registers the Bank Marketing data, lets AutoML find a model, deploys it behind a key, "
            "turns Application Insights on, scores rows, benchmarks it with `ab`, and schedules "
            f"retraining every 24 hours. All of it real, on this machine, in {flow_runner.MINUTES}."
        )
        flow_runner.button(progress, primary=True, key="flow.run.first")
    place = single.container(border=True, height="stretch", gap="xsmall", key="start-single")
    _steps(place, "Or step by step")


def _steps(place: DeltaGenerator, title: str) -> None:
    trains = session.workspace().can(Capability.AUTOML_TRAINING)
    with place:
        st.markdown(f"##### {title}")
        for number, (page, icon, label, what) in enumerate(STEPS, 1):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.page_link(navigation.to(page), label=f"{number}. {label}", icon=icon)
                st.caption(what if trains else ELSEWHERE.get(page, what), width="content")
