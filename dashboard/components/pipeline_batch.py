"""Batch inference: submit on new data, watch it, look at what came out and take it away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import pandas as pd
import streamlit as st

from dashboard import formats, pipeline_facts, reads, session
from dashboard.components import (
    empty,
    failures,
    pipeline_address,
    pipeline_batch_output,
    pipeline_publish,
    pipeline_run,
    schedule_form,
    state_badge,
)
from dashboard.pipeline_facts import Catalog
from services.domain import (
    AssetStatus,
    Capability,
    PipelineKind,
    PipelineRun,
    PublishedPipeline,
    RunStatus,
)

TALL, TALL_HEIGHT = 10, 390  # rows from which the table scrolls, pixels it then has


def show(catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    if not session.workspace().can(Capability.BATCH_INFERENCE):
        empty.show(
            "Azure ML scores in batch with a ParallelRunStep. Publish such a pipeline from a "
            "notebook, then run or schedule it under Pipelines; its rows are in its datastore."
        )
        return
    pipelines = [
        each
        for each in catalog.pipelines.values()
        if each.kind is PipelineKind.BATCH_INFERENCE and each.status is AssetStatus.ACTIVE
    ]
    scored = catalog.batch_runs(reads.pipeline_runs())
    if not pipelines and not scored:
        empty.show(
            "No batch inference is published yet. Publish one with a registered model and dataset."
        )
        _publish()
        return
    form, view = st.columns([1, 2.4], gap="small")
    with form:
        _form(pipelines, catalog)
    with view:
        if scored:
            opened = pipeline_address.opened("run")
            chosen = next((run for run in scored if run.id == opened), scored[0])
            pipeline_run.show(chosen.id, closable=False)
            pipeline_batch_output.show(chosen.id)
        else:
            empty.show("Nothing has been scored in batch yet. Choose the data and submit it.")
    if scored:
        st.subheader("Batch runs", anchor=False)
        _table(scored, catalog, now=now, zone=zone)


def _publish() -> None:
    st.button(
        "Publish batch inference", key="batch.publish", icon=":material/publish:",
        on_click=pipeline_publish.ask, args=(pipeline_publish.BATCH,), width="stretch",
    )  # fmt: skip


def _form(pipelines: Sequence[PublishedPipeline], catalog: Catalog) -> None:
    with st.container(border=True, key="batch-form"):
        st.markdown("**Score a dataset**")
        models, datasets = reads.models(), reads.datasets()
        if not pipelines:
            st.caption("No batch pipeline is Active. Enable one, or publish another.")
        elif not models or not datasets:
            st.caption("A registered model and a registered dataset are needed.")
        else:
            _submit(pipelines, catalog)
        _publish()


def _submit(pipelines: Sequence[PublishedPipeline], catalog: Catalog) -> None:
    by_id = {each.id: each for each in pipelines}
    chosen = by_id[
        st.selectbox(
            "Pipeline", list(by_id), key="batch.pipeline",
            format_func=lambda each: catalog.title(each),
        )
    ]  # fmt: skip
    defaults = {each.name: each.default for each in chosen.parameters}
    values = {
        name: _reference(name, defaults.get(name, ""), options, chosen.id)
        for name, options in (("model", _model_options()), ("dataset", _dataset_options()))
    }
    experiment = st.text_input(
        "Experiment", pipeline_facts.experiment(chosen), key=f"batch.experiment-{chosen.id}"
    )
    with failures.reported():
        if st.button(
            "Submit",
            key="batch.submit",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=not experiment.strip(),
        ):
            run = session.workspace().pipelines.submit(
                chosen.id,
                experiment.strip(),
                parameters=pipeline_facts.changed(defaults, values),
            )
            reads.clear()
            pipeline_address.go(run=run.id)
            st.rerun()  # fmt: skip
    st.button(
        "Schedule it", key="batch.schedule", icon=":material/event_repeat:", width="stretch",
        on_click=schedule_form.ask, kwargs={"pipeline_id": chosen.id},
    )  # fmt: skip


def _reference(name: str, default: str, options: Sequence[str], pipeline_id: str) -> str:
    offered = list(dict.fromkeys([default, *options]))
    return st.selectbox(name.capitalize(), offered, key=f"batch.{name}-{pipeline_id}")


def _model_options() -> list[str]:
    models = reads.models()
    names = dict.fromkeys(model.name for model in models)
    return [f"{name}:latest" for name in names] + [model.id for model in models]


def _dataset_options() -> list[str]:
    datasets = reads.datasets()
    return [f"{each.name}:latest" for each in datasets] + [
        version.id for each in datasets for version in reads.dataset_versions(each.name)
    ]


def _table(runs: Sequence[PipelineRun], catalog: Catalog, *, now: datetime, zone: tzinfo) -> None:
    def opened(ids: tuple[str, ...]) -> None:
        pipeline_address.open("run", ids[st.session_state["batch.open"]["row"]])

    lengths = [pipeline_facts.length(run, now=now) for run in runs]
    batches = [run.batch for run in runs]
    st.dataframe(
        pd.DataFrame(
            {
                "Run": [formats.instant(run.created_at, zone=zone, now=now) for run in runs],
                "Status": [[run.status.value] for run in runs],
                "Pipeline": [catalog.title(run.pipeline_id) for run in runs],
                "Dataset": [run.parameters.get("dataset", "") for run in runs],
                "Model": [run.model_id for run in runs],
                "Progress": [pipeline_facts.share(each) if each else None for each in batches],
                "Rows": [each.total_count if each else None for each in batches],
                "Failed": [each.failed_count if each else None for each in batches],
                "Duration": [formats.duration(each) for each in lengths],
            }
        ),
        hide_index=True,
        height="content" if len(runs) <= TALL else TALL_HEIGHT,
        column_config={
            "Run": st.column_config.ButtonColumn(
                "Run", type="tertiary", alignment="left", key="batch.open", pinned=True,
                on_click=opened, args=(tuple(run.id for run in runs),), width=130,
            ),
            "Status": state_badge.column("Status", RunStatus, width=120),
            "Progress": st.column_config.ProgressColumn("Dealt with", format="percent", width=120),
            "Rows": st.column_config.NumberColumn("Rows", format="localized"),
            "Failed": st.column_config.NumberColumn("Failed rows", format="localized"),
        },
        placeholder="–",
        alt="Batch inference runs with status, dataset, model, progress and failed rows",
        key="batch.table",
    )  # fmt: skip
