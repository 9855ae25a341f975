"""One registered model: its line of descent, its figures, and the part that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo

import streamlit as st

from dashboard import formats, reads
from dashboard.components import (
    deploy_form,
    lineage_strip,
    models_compare,
    models_edit,
    models_ensemble,
    models_importance,
    models_inputs,
    models_serving,
    models_slices,
    models_table,
)
from services.domain import Model, metric_goal

FURTHER = (  # metrics an operator asks for next, for whichever task they exist
    "accuracy",
    "AUC_weighted",
    "f1_score_weighted",
    "log_loss",
    "r2_score",
    "mean_absolute_error",
    "root_mean_squared_error",
)
TILES = 5
RANKED = "What its search ranked it by"
LOGGED = "Logged by its run on the validation rows. The goal is to {} it."


def _behaviour(model: Model) -> None:
    left, right = st.columns([3, 2], gap="small")
    with left:
        models_importance.show(model)
    with right:
        models_serving.show(model.id)
        models_ensemble.show(model)


VIEWS: dict[str, Callable[[Model], None]] = {
    "Overview": _behaviour,
    "Compare": models_compare.show,
    "Slices": models_slices.show,
    "Inputs": models_inputs.show,
    "Notes": models_edit.show,
}


def show(model: Model, *, zone: tzinfo) -> None:
    if not model.readable:
        st.subheader(formats.plain(model.name), anchor=False)
        st.warning(formats.sentence(model.description), icon=":material/help:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall", width="stretch"):
            st.subheader(formats.plain(model.id), anchor=False)
            st.caption(_subtitle(model, zone=zone))
        st.button(
            "Deploy",
            key="models.deploy-open",
            type="primary",
            icon=":material/rocket_launch:",
            on_click=deploy_form.ask,
            args=(model.id,),
        )
    lineage_strip.show(model)
    _figures(model)
    view = st.segmented_control(
        "View", list(VIEWS), default="Overview", required=True, key="model-view",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    VIEWS[view](model)


def _subtitle(model: Model, *, zone: tzinfo) -> str:
    parts = [
        model.algorithm,
        f"registered {formats.instant(model.created_at, zone=zone, now=datetime.now(UTC))}",
        model.description,
    ]
    return " · ".join(formats.plain(part) for part in parts if part)


def _figures(model: Model) -> None:
    metrics: Mapping[str, float] = (
        reads.metrics((model.run_id,)).get(model.run_id, {}) if model.run_id else {}
    )
    primary = model.properties.get("primary_metric", "")
    score = models_table.score(model)
    figures: list[tuple[str, str, str]] = []
    if primary and score is not None:
        figures.append((f"Score, {primary}", formats.metric(score), RANKED))
    for name in (primary, *FURTHER):
        logged = name in metrics and (name != primary or metrics[name] != score)
        if logged and len(figures) < TILES - 1 and name not in (each[0] for each in figures):
            goal = metric_goal(name).value
            figures.append((name, formats.metric(metrics[name]), LOGGED.format(goal)))
    if model.size_bytes is not None:
        figures.append(("Size of the model", formats.size(model.size_bytes), ""))
    if not figures:
        st.caption("Neither its score nor its size was registered with it.")
        return
    for tile, (name, text, note) in zip(st.columns(len(figures)), figures, strict=True):
        tile.metric(formats.plain(name), text, border=True, help=note or None)
