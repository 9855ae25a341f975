"""The chain from a dataset version to the next retrain, each node a link, what is off flagged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import economy, formats, navigation, reads, side_by_side
from dashboard.components import panel
from dashboard.overview_facts import Facts
from dashboard.readings import Empty
from services import lineage
from services.domain import Model
from services.errors import NotFoundError
from services.lineage import Chain, Node, Standing

ICONS = {
    "dataset": ":material/table_view:",
    "run": ":material/model_training:",
    "best child": ":material/star:",
    "model": ":material/deployed_code:",
    "deployment": ":material/ecg_heart:",
    "load test": ":material/speed:",
    "schedule": ":material/event_repeat:",
}


def show(model: Model) -> None:
    """The strip of one model."""
    draw(of(model))


def overview(facts: Facts) -> None:
    """The strip of the model in service, in a card that says when it could not be read.

    Not on Azure, where it would double what the page costs: the Models page has it.
    """
    if isinstance(facts.models, Empty) or economy.metered():
        return
    panel.show(
        "Lineage",
        _in_focus,
        draw,
        key="lineage",
        help="From the data to the next retrain, of the model in service",
    )


def _in_focus() -> tuple[Node, ...]:
    model = lineage.in_focus(reads.models(), reads.deployments())
    return () if model is None else of(model)


def of(model: Model) -> tuple[Node, ...]:
    """Everything around the model, asked and put in order."""
    of_run = [partial(reads.run_or_none, model.run_id)] if model.run_id else []
    side_by_side.ahead(reads.schedules, reads.pipelines, *of_run)
    run = reads.run_or_none(model.run_id) if model.run_id else None
    parent_id = run.parent_id if run else model.properties.get("parent_run_id")
    name = (model.dataset_id or "").rpartition(":")[0]
    try:
        versions = reads.dataset_versions(name) if name else ()
    except NotFoundError:
        versions = ()
    return lineage.strip(
        Chain(
            model=model,
            run=run,
            parent=reads.run_or_none(parent_id) if parent_id else None,
            versions=versions,
            models=reads.models(),
            deployments=reads.deployments(),
            load_tests=reads.load_tests(),
            schedules=reads.schedules(),
            pipelines=reads.pipelines(),
        )
    )


def draw(nodes: Sequence[Node]) -> None:
    """One line; it wraps where the window is narrow."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="lineage"):
        for place, node in enumerate(nodes):
            if place:
                st.markdown(":small[:gray[:material/chevron_right:]]", width="content")
            _node(node)


def _node(node: Node) -> None:
    label = formats.plain(node.label)
    if node.standing is Standing.BROKEN:
        note = f" {formats.plain(node.note)}" if node.note else ""
        st.markdown(f":small[:red[:material/link_off: {label}{note}]]", width="content")
        return
    if not node.page:
        st.markdown(f":small[:gray[{ICONS[node.kind]} {label}]]", width="content")
        return
    st.page_link(
        navigation.to(node.page),
        label=f"**{label}**" if node.kind == "model" else label,
        icon=ICONS[node.kind],
        query_params=dict(node.address),
        width="content",
        help=node.kind.capitalize(),
    )
    if node.standing is Standing.STALE:
        st.markdown(f":orange-badge[{formats.plain(node.note)}]", width="content")
