"""The dialogs that publish a pipeline: retraining, or batch inference."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import automl_form, empty, failures, migration_code, pipeline_address
from services.domain import AutoMLSettings, Dataset, Model, PublishedPipeline
from services.ports import BatchInferencePlan, RetrainingPlan

RETRAINING, BATCH = "retraining", "batch inference"
ASKING = "pipelines.publishing"


def ask(kind: str) -> None:
    """Open the dialog for one kind of pipeline in the next rerun."""
    st.session_state[ASKING] = kind


def show() -> None:
    """Draw the dialog if it was asked for. Called once, outside every fragment."""
    kind = st.session_state.get(ASKING)
    if kind == RETRAINING:
        _retraining()
    elif kind == BATCH:
        _batch()


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog(
    "Publish a retraining pipeline", width="large", icon=":material/cycle:", on_dismiss=close
)
def _retraining() -> None:
    with failures.reported():
        datasets = reads.datasets()
        if not datasets:
            empty.show(
                "Retraining needs a registered dataset.", page="dataset", label="Register a dataset"
            )
            return
        st.caption(
            "Each run trains on the dataset with these settings, then registers its best model."
        )
        name = st.text_input("Name", f"{datasets[0].name} retraining", key="publish.name")
        settings = automl_form.fields(datasets, _like(datasets))
        model, latest = st.columns(2, gap="medium", vertical_alignment="bottom")
        model_name = model.text_input(
            "Register the best model as",
            datasets[0].name,
            key="publish.model",
            help="Leave it empty to register nothing",
        )
        newest = latest.toggle(
            "Always the newest version of the dataset", True, key="publish.latest",
            help="Otherwise each run trains on the version chosen above",
        )  # fmt: skip
        if _confirmed("Publish pipeline", name.strip()):
            plan = RetrainingPlan(
                settings=settings, model_name=model_name.strip(), use_latest_dataset=newest
            )
            _published(session.workspace().pipelines.publish_retraining(name.strip(), plan))


def _like(datasets: Sequence[Dataset]) -> AutoMLSettings | None:
    """The settings of the newest AutoML run on the newest dataset: a retraining repeats it."""
    for run in reads.runs():
        if run.dataset_id and run.dataset_id.rpartition(":")[0] == datasets[0].name:
            return reads.automl_settings(run.id)
    return None


@st.dialog(
    "Publish a batch inference", width="medium", icon=":material/table_rows:", on_dismiss=close
)
def _batch() -> None:
    with failures.reported():
        models, datasets = reads.models(), reads.datasets()
        if not models:
            empty.show(
                "Batch inference needs a registered model.", page="models", label="Open Models"
            )
            return
        if not datasets:
            empty.show(
                "Batch inference needs a registered dataset.", page="dataset", label="Open Dataset"
            )
            return
        st.caption("Scores every row of a dataset with a registered model, a chunk at a time.")
        name = st.text_input("Name", f"Score {datasets[0].name}", key="publish.batch-name")
        model_id, dataset_id = model_and_dataset(models, datasets, key="publish")
        chunk = st.number_input(
            "Rows at a time", 1, 1_000_000, 1000, step=500, key="publish.chunk",
            help="After each chunk the progress moves on and its rows can be looked at",
        )  # fmt: skip
        if _confirmed("Publish pipeline", name.strip()):
            plan = BatchInferencePlan(
                model_id=model_id, dataset_id=dataset_id, chunk_rows=int(chunk)
            )
            _published(session.workspace().pipelines.publish_batch_inference(name.strip(), plan))


def model_and_dataset(
    models: Sequence[Model], datasets: Sequence[Dataset], *, key: str
) -> tuple[str, str]:
    """Fields for what scores and what is scored, as ``name:version`` or ``name:latest``."""
    names = dict.fromkeys(model.name for model in models)
    model_options = [f"{name}:latest" for name in names] + [model.id for model in models]
    dataset_options = [f"{each.name}:latest" for each in datasets] + [
        version.id for each in datasets for version in reads.dataset_versions(each.name)
    ]
    left, right = st.columns(2, gap="small")
    model = left.selectbox("Model", model_options, key=f"{key}.batch-model")
    dataset = right.selectbox("Dataset", dataset_options, key=f"{key}.batch-dataset")
    return model, dataset


def _confirmed(verb: str, name: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        migration_code.popover("pipeline.publish", name=name or None)
        if st.button("Cancel", key="publish.cancel"):
            close()
            st.rerun()
        return st.button(
            verb, key="publish.go", type="primary", icon=":material/publish:", disabled=not name
        )


def _published(pipeline: PublishedPipeline) -> None:
    reads.clear()
    close()
    said = f"{pipeline.name} is published as version {pipeline.version}."
    st.toast(formats.plain(said), icon=":material/publish:")
    pipeline_address.close("endpoint")
    pipeline_address.go(pipeline_address.PIPELINES, pipeline=pipeline.id)
    st.rerun()
