"""One dataset version: what it is, then its rows, its profile or its contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import dataset_uses, formats, navigation, shell
from dashboard.components import (
    dataset_contract,
    dataset_drift,
    dataset_picker,
    dataset_preview,
    dataset_profile,
    failures,
    on_request,
)
from dashboard.dataset_uses import Uses
from dashboard.readings import Data, Failed, NotConfigured, Reading
from services.domain import Dataset, DatasetProfile
from services.errors import ServiceError

LINKED = 3  # runs and models named; the rest are counted


def show(datasets: Sequence[Dataset], uses: Reading[Uses]) -> None:
    """Draw the choices and the chosen view; of what cannot be described there is none."""
    readable = [dataset for dataset in datasets if dataset.readable]
    if not readable:
        return
    chosen = dataset_picker.show(readable)
    if chosen is None:
        st.caption("Choose a dataset to see its rows, their profile and what uses them.")
        return
    with st.container(gap="xxsmall"):
        _facts(chosen.dataset, chosen.profile)
        _used_by(chosen.dataset, uses)
    if chosen.view == "Preview":
        dataset_preview.show(chosen.dataset)
    elif chosen.view == "Compare":
        dataset_drift.show(chosen.dataset)
    elif isinstance(chosen.profile, ServiceError):
        failures.show(chosen.profile)
    elif chosen.view == "Contract":
        dataset_contract.show(chosen.dataset, chosen.target)
    else:
        dataset_profile.show(chosen.profile, chosen.target)


def _facts(dataset: Dataset, profile: DatasetProfile | ServiceError) -> None:
    now = datetime.now(UTC)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if dataset.synthetic:
            st.badge(
                "Synthetic", icon=":material/science:", color="orange",
                help="Made by a generator: no real record is in it, and what a model learns from "
                "it says nothing about the world.",
            )  # fmt: skip
        if described := dataset_picker.describe(dataset, profile):
            st.markdown(described, width="content")
        when = formats.instant(dataset.created_at, zone=shell.zone(), now=now)
        st.caption(f"Registered {when}", help=formats.utc(dataset.created_at), width="content")
        if dataset.source:
            st.caption(f"from {formats.plain(dataset.source)}", width="content")
    if dataset.description:
        st.caption(formats.plain(dataset.description))


def _used_by(dataset: Dataset, uses: Reading[Uses]) -> None:
    if isinstance(uses, Failed):
        st.caption(f"What uses it is not known: {formats.sentence(str(uses.error))}")
        return
    if isinstance(uses, NotConfigured):
        on_request.show(dataset_uses.ASKED, uses.reason, "Find them")
        return
    used = uses.value.of_version(dataset.id) if isinstance(uses, Data) else Uses()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not used.runs and not used.models:
            st.caption("Nothing has been trained on this version yet.", width="content")
        else:
            count = f"{formats.plural(len(used.runs), 'run')}, "
            st.caption(
                f"Used by {count}{formats.plural(len(used.models), 'model')}:", width="content"
            )
        for run in used.runs[:LINKED]:
            st.page_link(
                navigation.to("training_runs"),
                label=f"{formats.plain(run.experiment)} {run.number}",
                icon=":material/model_training:",
                query_params={"run": run.id},
            )
        for model in used.models[:LINKED]:
            st.page_link(
                navigation.to("models"),
                label=formats.plain(model.id),
                icon=":material/deployed_code:",
                query_params={"model": model.id},
            )
        if not used.runs:
            st.page_link(
                navigation.to("training_runs"),
                label="Train a model",
                icon=":material/arrow_forward:",
            )
