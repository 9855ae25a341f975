"""Where a model comes from and where it went, each step a link."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats
from services.domain import Deployment, Model, Run, split_id


def show(model: Model, run: Run | None, deployments: Sequence[Deployment]) -> None:
    """One line: dataset version → run → model → deployments.

    Args:
        run: the one it was registered from; None when that run is gone.
        deployments: those that serve this version.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="lineage"):
        _dataset(model)
        _arrow()
        _run(model, run)
        _arrow()
        st.page_link(
            "../pages/models.py",
            label=f"**{formats.plain(model.id)}**",
            icon=":material/deployed_code:",
            query_params={"model": model.id},
            width="content",
        )
        _arrow()
        if not deployments:
            st.markdown(":gray[:material/cloud_off: not deployed]", width="content")
        for deployment in deployments:
            st.page_link(
                "../pages/deployment_health.py",
                label=formats.plain(deployment.name),
                icon=":material/ecg_heart:",
                query_params={"deployment": deployment.name},
                width="content",
                help=f"Deployment, {deployment.state}",
            )


def _dataset(model: Model) -> None:
    if model.dataset_id is None:
        _broken("dataset not recorded")
        return
    name, version = split_id("dataset", model.dataset_id)
    st.page_link(
        "../pages/dataset.py",
        label=formats.plain(model.dataset_id),
        icon=":material/table_view:",
        query_params={"dataset": name, "version": str(version)},
        width="content",
        help="Dataset version it was trained on",
    )


def _run(model: Model, run: Run | None) -> None:
    if run is None:
        _broken("run is gone" if model.run_id else "registered without a run")
        return
    st.page_link(
        "../pages/training_runs.py",
        label=formats.plain(f"{model.algorithm or run.display_name} · run {run.number}"),
        icon=":material/model_training:",
        query_params={
            "run": run.parent_id or run.id,
            "run-view": "Charts",
            "child": run.id,
        }
        if run.parent_id
        else {"run": run.id},
        width="content",
        help="The child run it was registered from, with its charts",
    )


def _arrow() -> None:
    st.markdown(":gray[:material/chevron_right:]", width="content")


def _broken(text: str) -> None:
    st.markdown(f":orange[:material/link_off: {text}]", width="content")
