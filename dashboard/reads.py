"""Reads remembered for a few seconds, shared by every session; whoever writes clears them.

Only records, never a secret. A failure is not remembered: the next rerun asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import events, session
from dashboard import rates as telemetry_rates
from dashboard.rates import Rates
from services.attention import Traffic
from services.domain import (
    AuditEvent,
    AutoMLSettings,
    Component,
    DataContract,
    Dataset,
    DatasetProfile,
    Deployment,
    EnsembleMember,
    Explanation,
    Firing,
    FlowProgress,
    LoadTest,
    Model,
    Panel,
    PipelineEndpoint,
    PipelineGraph,
    PipelineRun,
    PublishedPipeline,
    Run,
    Schedule,
    StepRun,
    TimeWindow,
)
from services.ports import QueryResult

if TYPE_CHECKING:
    import pandas as pd

BRIEF = "2s"  # states that change by themselves
LONG = "10min"  # what never changes once it exists: a dataset version's profile


def clear() -> None:
    """Forget everything that was read. Called after a write, before the next rerun."""
    st.cache_data.clear()
    events.acted()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def components() -> tuple[Component, ...]:
    return session.workspace().components()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def audit_events() -> tuple[AuditEvent, ...]:
    return session.workspace().audit.list()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def datasets() -> tuple[Dataset, ...]:
    return session.workspace().datasets.list()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def dataset_versions(name: str) -> tuple[Dataset, ...]:
    return session.workspace().datasets.versions(name)


@st.cache_data(ttl=LONG, max_entries=50, show_spinner="Profiling…")
def profile(name: str, version: int) -> DatasetProfile:
    return session.workspace().datasets.profile(name, version)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def runs(experiment: str | None = None) -> tuple[Run, ...]:
    return session.workspace().runs.list(experiment)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def run(run_id: str) -> Run:
    return session.workspace().runs.get(run_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def child_runs(run_id: str) -> tuple[Run, ...]:
    return session.workspace().runs.children(run_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def metrics(run_ids: tuple[str, ...]) -> Mapping[str, Mapping[str, float]]:
    return session.workspace().runs.metrics(run_ids)


@st.cache_data(ttl=LONG, max_entries=200, show_spinner=False)
def automl_settings(run_id: str) -> AutoMLSettings:
    return session.workspace().runs.automl_settings(run_id)


@st.cache_data(ttl=LONG, max_entries=200, show_spinner=False)
def run_table(run_id: str, name: str) -> Mapping[str, Any]:
    """A chart artifact; a child run writes it once, when it completes."""
    return session.workspace().runs.table(run_id, name)


@st.cache_data(ttl=LONG, max_entries=100, show_spinner=False)
def run_file(run_id: str, path: str) -> bytes:
    """A small artifact that is written once."""
    return session.workspace().runs.file(run_id, path)


@st.cache_data(ttl=LONG, max_entries=100, show_spinner=False)
def ensemble(run_id: str) -> tuple[EnsembleMember, ...]:
    """Of a child run that completed."""
    return session.workspace().runs.ensemble(run_id)


@st.cache_data(ttl=LONG, max_entries=100, show_spinner=False)
def explanation(run_id: str) -> Explanation:
    return session.workspace().runs.explanation(run_id)


@st.cache_data(ttl=LONG, max_entries=100, show_spinner=False)
def model_contract(model_id: str) -> DataContract:
    return session.workspace().models.contract(model_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def models() -> tuple[Model, ...]:
    return session.workspace().models.list()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def deployments() -> tuple[Deployment, ...]:
    return session.workspace().deployments.list()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def scoring_contract(deployment: str) -> DataContract:
    return session.workspace().scoring.contract(deployment)


@st.cache_data(ttl=LONG, max_entries=50, show_spinner=False)
def swagger(deployment: str, updated_at: datetime) -> Mapping[str, Any]:
    """Remembered until the deployment is updated."""
    return session.workspace().deployments.swagger(deployment)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def load_tests(deployment: str | None = None) -> tuple[LoadTest, ...]:
    return session.workspace().load_tests.list(deployment)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def pipelines() -> tuple[PublishedPipeline, ...]:
    return session.workspace().pipelines.list()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def pipeline_endpoints() -> tuple[PipelineEndpoint, ...]:
    return session.workspace().pipelines.endpoints()


@st.cache_data(ttl=BRIEF, show_spinner=False)
def pipeline_runs(
    pipeline_id: str | None = None, schedule_id: str | None = None
) -> tuple[PipelineRun, ...]:
    return session.workspace().pipelines.runs(pipeline_id=pipeline_id, schedule_id=schedule_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def pipeline_run(run_id: str) -> PipelineRun:
    return session.workspace().pipelines.run(run_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def pipeline_steps(run_ids: tuple[str, ...]) -> Mapping[str, tuple[StepRun, ...]]:
    return session.workspace().pipelines.steps_of(run_ids)


@st.cache_data(ttl=LONG, max_entries=100, show_spinner=False)
def pipeline_graph(pipeline_id: str) -> PipelineGraph:
    """A published pipeline never changes its steps."""
    return session.workspace().pipelines.graph(pipeline_id)


@st.cache_data(ttl=BRIEF, max_entries=4, show_spinner="Reading the output…")
def batch_output(run_id: str) -> pd.DataFrame:
    return session.workspace().pipelines.batch_output(run_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def firings(schedule_id: str) -> tuple[Firing, ...]:
    return session.workspace().schedules.firings(schedule_id)


@st.cache_data(ttl=BRIEF, show_spinner=False)
def schedules() -> tuple[Schedule, ...]:
    return session.workspace().schedules.list()


@st.cache_data(ttl="10s", max_entries=200, show_spinner=False)
def telemetry(panel: Panel, window: TimeWindow, deployment: str | None = None) -> QueryResult:
    return session.workspace().telemetry.panel(panel, window, deployment)


@st.cache_data(ttl="10s", max_entries=50, show_spinner=False)
def rates(window: TimeWindow) -> Rates:
    panels = (Panel.SUMMARY, Panel.FAILURES, Panel.LATENCY)
    return telemetry_rates.rates(*(telemetry(panel, window).frame for panel in panels))


@st.cache_data(ttl="10s", max_entries=50, show_spinner=False)
def traffic(window: TimeWindow) -> tuple[Traffic, ...]:
    return telemetry_rates.traffic(telemetry(Panel.DEPLOYMENTS, window).frame)


@st.cache_data(ttl="1s", show_spinner=False)
def flow_progress() -> FlowProgress:
    return session.workspace().flow.progress()


@st.cache_data(ttl=BRIEF, max_entries=10, show_spinner="Asking…")
def telemetry_query(kql: str) -> QueryResult:
    return session.workspace().telemetry.query(kql)
