"""Starting a run: AutoML where the back end trains by itself, else a published pipeline."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import (
    automl_form,
    empty,
    failures,
    pipeline_address,
    pipeline_submit,
)
from dashboard.components.pipeline_submit import Submission
from dashboard.pipeline_facts import Catalog
from services.domain import AssetStatus, Capability, PublishedPipeline

CHOOSING = "runs.choosing-pipeline"


def button() -> None:
    """The page's main button; what it opens follows the back end."""
    if session.workspace().can(Capability.AUTOML_TRAINING):
        st.button(
            "New AutoML run", key="runs.new", type="primary", icon=":material/add:",
            on_click=automl_form.ask,
        )  # fmt: skip
        return
    st.button(
        "New run", key="runs.new", type="primary", icon=":material/add:", on_click=ask,
        help="Submits a published pipeline: on Azure, training runs in one",
    )  # fmt: skip


def first_steps() -> None:
    """What an empty list says."""
    if session.workspace().can(Capability.AUTOML_TRAINING):
        empty.show(
            "No run yet. Register a dataset, then start an AutoML run on it.",
            page="dataset",
            label="Open Dataset",
        )
        return
    empty.show(
        "No run yet. Submit a published pipeline with **New run**, or start one from your code.",
        page="pipeline_schedules",
        label="Open Pipeline schedules",
    )


def ask() -> None:
    st.session_state[CHOOSING] = True


def show() -> None:
    """Draw the dialogs if they were asked for. Called once, outside every fragment."""
    if pipeline_address.going():  # one was submitted
        st.switch_page("../pages/pipeline_schedules.py")
    if CHOOSING in st.session_state:
        _choose()
    elif pipeline_submit.ASKING in st.session_state:
        pipeline_submit.show(Catalog.of(reads.pipelines(), reads.pipeline_endpoints()))


def _close() -> None:
    st.session_state.pop(CHOOSING, None)


@st.dialog("New run", width="medium", icon=":material/model_training:", on_dismiss=_close)
def _choose() -> None:
    with failures.reported():
        able = [each for each in reads.pipelines() if each.status is AssetStatus.ACTIVE]
        if not able:
            empty.show(
                "Training on Azure means submitting a published pipeline, and none is active here. "
                "Publish one from the code that defines it; it then appears in this list."
            )
            return
        by_id = {each.id: each for each in able}
        chosen = st.selectbox(
            "Published pipeline", list(by_id), key="runs.pipeline",
            format_func=lambda id: _title(by_id[id]),
        )  # fmt: skip
        st.caption(
            "Its parameters come next: the dataset and the label, where it has them. It runs on "
            "its own compute, at its own cost."
        )
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="runs.pipeline-cancel"):
                _close()
                st.rerun()
            if st.button(
                "Go on", key="runs.pipeline-go", type="primary", icon=":material/arrow_forward:"
            ):
                _close()
                pipeline_submit.ask(Submission(pipeline_id=chosen))
                st.rerun()


def _title(pipeline: PublishedPipeline) -> str:
    return formats.plain(" ".join(filter(None, (pipeline.name, pipeline.version))))
