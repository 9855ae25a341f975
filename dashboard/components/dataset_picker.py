"""Which version of which dataset is looked at, in which view, and what its target column is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import formats, reads
from dashboard.components.dataset_list import OPENED
from services.domain import Dataset, DatasetProfile

VIEWS = ("Profile", "Preview", "Contract", "Compare")


@dataclass(frozen=True, slots=True)
class Choice:
    dataset: Dataset
    profile: DatasetProfile
    target: str  # a column
    view: str  # one of VIEWS


def show(datasets: Sequence[Dataset]) -> Choice:
    """Draw the choices in one row, all of them in the address. `datasets` is not empty."""
    if opened := st.session_state.pop(OPENED, None):
        st.session_state["dataset"] = opened
        st.session_state["version"] = reads.dataset_versions(opened)[0].version
    with st.container(horizontal=True, vertical_alignment="bottom", key="dataset-picker"):
        name = st.selectbox(
            "Dataset",
            [dataset.name for dataset in datasets],
            key="dataset",
            bind="query-params",
            width=320,
            on_change=_to_latest,
        )
        versions = {each.version: each for each in reads.dataset_versions(name)}
        latest = max(versions)
        version = st.selectbox(
            "Version",
            list(versions),
            key="version",
            bind="query-params",
            width=150,
            format_func=lambda each: f"{each} (latest)" if each == latest else str(each),
        )
        profile = reads.profile(name, version)
        columns = [column.name for column in profile.columns]
        target = st.selectbox(
            "Target column",
            columns,
            index=columns.index("y") if "y" in columns else len(columns) - 1,
            key="target",
            bind="query-params",
            width=220,
            help="What a model would predict: shown in the balance, left out of the contract.",
        )
        st.space("stretch")
        view = st.segmented_control(
            "View", VIEWS, default=VIEWS[0], required=True, key="dataset-view", bind="query-params"
        )
    return Choice(versions[version], profile, target, view)


def describe(dataset: Dataset, profile: DatasetProfile) -> str:
    """What the version holds, in one line."""
    parts = [
        formats.plural(profile.row_count, "row"),
        formats.plural(len(profile.columns), "column"),
        formats.size(dataset.size_bytes),
    ]
    if profile.duplicate_count:
        parts.append(formats.plural(profile.duplicate_count, "duplicate row"))
    return " · ".join(parts)


def _to_latest() -> None:
    """Another dataset is looked at from its latest version on."""
    name = st.session_state["dataset"]
    st.session_state["version"] = reads.dataset_versions(name)[0].version
