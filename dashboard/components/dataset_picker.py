"""Which version of which dataset is looked at, in which view, and what its target column is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import economy, formats, reads
from dashboard.components.dataset_list import OPENED
from services.domain import Dataset, DatasetProfile
from services.errors import ServiceError

VIEWS = ("Profile", "Preview", "Contract", "Compare")


@dataclass(frozen=True, slots=True)
class Choice:
    dataset: Dataset
    profile: DatasetProfile | ServiceError  # why there is none
    target: str  # a column; empty without a profile
    view: str  # one of VIEWS


def show(datasets: Sequence[Dataset]) -> Choice | None:
    """Draw the choices in one row, all of them in the address; None while none is chosen.

    Args:
        datasets: not empty, every one of them readable.
    """
    opened = st.session_state.pop(OPENED, None)
    if opened in [dataset.name for dataset in datasets]:
        st.session_state["dataset"] = opened
        st.session_state["version"] = reads.dataset_versions(opened)[0].version
    with st.container(horizontal=True, vertical_alignment="bottom", key="dataset-picker"):
        name = st.selectbox(
            "Dataset",
            [dataset.name for dataset in datasets],
            index=None if economy.metered() else 0,
            placeholder="Choose a dataset",
            key="dataset",
            bind="query-params",
            width=280,
            on_change=_to_latest,
        )
        if name is None:
            return None
        versions = {each.version: each for each in reads.dataset_versions(name)}
        latest = max(versions)
        version = st.selectbox(
            "Version",
            list(versions),
            key="version",
            bind="query-params",
            width=130,
            format_func=lambda each: f"{each} (latest)" if each == latest else str(each),
        )
        profile = _profile(name, version)
        target = "" if isinstance(profile, ServiceError) else _target(profile)
        st.space("stretch")
        view = st.segmented_control(
            "View", VIEWS, default=VIEWS[0], required=True, key="dataset-view", bind="query-params"
        )
    return Choice(versions[version], profile, target, view)


def describe(dataset: Dataset, profile: DatasetProfile | ServiceError) -> str:
    """What the version holds, in one line; empty when nothing of it is known."""
    known = None if isinstance(profile, ServiceError) else profile
    rows = known.row_count if known else dataset.row_count
    columns = len(known.columns) if known else dataset.column_count
    parts = [
        None if rows is None else formats.plural(rows, "row"),
        None if columns is None else formats.plural(columns, "column"),
        None if dataset.size_bytes is None else formats.size(dataset.size_bytes),
    ]
    if known and known.duplicate_count:
        parts.append(formats.plural(known.duplicate_count, "duplicate row"))
    return " · ".join(filter(None, parts))


def _profile(name: str, version: int) -> DatasetProfile | ServiceError:
    """A preview may be possible where a profile is not: too long a file, too far away."""
    try:
        return reads.profile(name, version)
    except ServiceError as error:  # kept, and shown by whoever needs the profile
        return error


def _target(profile: DatasetProfile) -> str:
    columns = [column.name for column in profile.columns]
    return st.selectbox(
        "Target column",
        columns,
        index=columns.index("y") if "y" in columns else len(columns) - 1,
        key="target",
        bind="query-params",
        width=170,
        help="What a model would predict: shown in the balance, left out of the contract.",
    )


def _to_latest() -> None:
    """Another dataset is looked at from its latest version on."""
    if (name := st.session_state["dataset"]) is None:
        return
    st.session_state["version"] = reads.dataset_versions(name)[0].version
