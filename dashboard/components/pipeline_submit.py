"""The dialog that submits a pipeline or an endpoint now, with parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from dashboard import formats, pipeline_facts, reads, session
from dashboard.components import failures, migration_code, pipeline_address, pipeline_parameters
from dashboard.pipeline_facts import Catalog
from services.domain import PipelineRun, PublishedPipeline

ASKING = "pipelines.submitting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is to be submitted; exactly one of pipeline and endpoint is named."""

    pipeline_id: str = ""
    endpoint_id: str = ""
    experiment: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def ask(submission: Submission) -> None:
    """Open the dialog in the next rerun."""
    st.session_state[ASKING] = submission


def show(catalog: Catalog) -> None:
    """Draw the dialog if it was asked for. Called once, outside every fragment."""
    if ASKING in st.session_state:
        _dialog(st.session_state[ASKING], catalog)


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog("Run now", width="medium", icon=":material/play_arrow:", on_dismiss=close)
def _dialog(submission: Submission, catalog: Catalog) -> None:
    with failures.reported():
        pipeline = _pipeline(submission, catalog)
        if pipeline is None:
            st.error("The pipeline is gone; reload the page.", icon=":material/error:")
            return
        st.markdown(f"**{formats.plain(catalog.title(pipeline.id))}**")
        experiment = st.text_input(
            "Experiment", submission.experiment or pipeline_facts.experiment(pipeline),
            key="submit.experiment",
            help="Runs are listed under it, and training runs are compared in it",
        )  # fmt: skip
        parameters = pipeline_parameters.show(
            pipeline.parameters, submission.parameters, key=f"submit.{pipeline.id}"
        )
        with st.container(horizontal=True, horizontal_alignment="right"):
            migration_code.popover(
                "pipeline.submit",
                pipeline_id=pipeline.id,
                name=pipeline.name,
                experiment=experiment,
                parameters=dict(parameters),
            )
            if st.button("Cancel", key="submit.cancel"):
                close()
                st.rerun()
            if st.button("Run now", key="submit.go", type="primary", icon=":material/play_arrow:"):
                run = _submit(submission, experiment, parameters)
                reads.clear()
                close()
                st.toast(f"Submitted as run {run.id}", icon=":material/play_arrow:")
                pipeline_address.go(pipeline_address.RUNS, run=run.id)
                st.rerun()


def _pipeline(submission: Submission, catalog: Catalog) -> PublishedPipeline | None:
    if submission.endpoint_id:
        return catalog.behind_endpoint(submission.endpoint_id)
    return catalog.pipelines.get(submission.pipeline_id)


def _submit(submission: Submission, experiment: str, parameters: Mapping[str, str]) -> PipelineRun:
    port = session.workspace().pipelines
    if submission.endpoint_id:
        return port.submit_endpoint(submission.endpoint_id, experiment, parameters=parameters)
    return port.submit(submission.pipeline_id, experiment, parameters=parameters)
