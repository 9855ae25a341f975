"""A dataset version against another one, or against the rows that were scored lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import charts, charts_compare, formats, reads, shell
from dashboard.components import empty, table_height
from services import drift
from services.domain import Dataset, DatasetProfile, TimeWindow
from services.drift import ColumnDrift, Comparison, Level, SchemaChange

COLORS = {
    Level.STABLE: "green",
    Level.MODERATE: "orange",
    Level.SHIFTED: "red",
    Level.UNKNOWN: "gray",
}
CHANGES = {
    "added": ":green-badge[:material/add: added]",
    "removed": ":red-badge[:material/remove: removed]",
    "renamed": ":blue-badge[:material/edit: renamed]",
    "type": ":orange-badge[:material/swap_horiz: type]",
}
SCORED = "Scored by "


def show(dataset: Dataset) -> None:
    """Draw the choice of the other side and what has moved."""
    versions = [
        each.version for each in reads.dataset_versions(dataset.name)
        if each.version != dataset.version
    ]  # fmt: skip
    servers = [
        each.name
        for each in reads.deployments()
        if each.telemetry_enabled and _trained_on(each.model_id, dataset)
    ]
    options = [*(f"Version {each}" for each in versions), *(f"{SCORED}{each}" for each in servers)]
    if not options:
        empty.show(
            "There is nothing to compare with yet: register another version, or deploy a model "
            "trained on this one with App Insights on."
        )
        return
    chosen = st.selectbox("Compare with", options, key="against", bind="query-params", width=320)
    if chosen.startswith(SCORED):
        _scored(dataset, chosen.removeprefix(SCORED))
    else:
        _version(dataset, int(chosen.removeprefix("Version ")))


def _trained_on(model_id: str, dataset: Dataset) -> bool:
    return any(
        model.id == model_id and (model.dataset_id or "").rpartition(":")[0] == dataset.name
        for model in reads.models()
    )


def _version(dataset: Dataset, other: int) -> None:
    """The older one of the two is the reference."""
    old, new = sorted((dataset.version, other))
    found = reads.version_drift(dataset.name, old, new)
    profiles = [reads.profile(dataset.name, version) for version in (old, new)]
    names = f"version {old}", f"version {new}"
    _rows(found, *profiles, names=names)
    _schema(drift.schema(*profiles), names=names)
    _columns(found, names=names)


def _scored(dataset: Dataset, deployment: str) -> None:
    window = _whole_minutes(shell.window())
    found = reads.scored_drift(dataset.name, dataset.version, deployment, window)
    if not found.current_count:
        empty.show(
            f"No input of {deployment} was captured in the {shell.window_label()}. Score some rows "
            "on Live scoring, or choose a longer window in the sidebar."
        )
        return
    st.caption(
        f"{formats.plural(found.current_count, 'scored row')} of {formats.plain(deployment)}, as "
        f"captured by App Insights in the {shell.window_label()}, against "
        f"{formats.plural(found.reference_count, 'row')} of {formats.plain(dataset.id)}. "
        "The newest captured requests are looked at; truncated ones are left out."
    )
    _columns(found, names=(dataset.id, f"scored by {deployment}"))


def _whole_minutes(window: TimeWindow) -> TimeWindow:
    """The same question for a minute: what is compared is a table of many rows."""
    return replace(window, end=window.end.replace(second=0, microsecond=0))


def _rows(
    found: Comparison, old: DatasetProfile, new: DatasetProfile, *, names: tuple[str, str]
) -> None:
    looked = found.reference_count < old.row_count or found.current_count < new.row_count
    tiles = (
        ("Rows", formats.count(new.row_count), f"{new.row_count - old.row_count:+,}"),
        ("New rows", formats.count(found.new_count), f"not in {names[0]}"),
        ("Gone rows", formats.count(found.gone_count), f"not in {names[1]}"),
        ("Columns shifted", formats.count(len(found.shifted)), f"of {len(found.columns)}"),
    )
    for place, (label, value, note) in zip(st.columns(len(tiles)), tiles, strict=True):
        place.metric(
            label, value, delta=note, delta_color="off", delta_arrow="off", border=True,
            height="stretch",
        )  # fmt: skip
    if looked:
        st.caption(
            f"New and gone rows, and what moved, are about the first {drift.ROW_LIMIT:,} rows of "
            "each version."
        )


def _schema(changes: Sequence[SchemaChange], *, names: tuple[str, str]) -> None:
    if not changes:
        st.caption(f"The columns of {names[0]} and {names[1]} are the same.")
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown("**Columns**")
        st.markdown(
            "\n".join(
                f"- {CHANGES[each.change]} **{formats.plain(each.column)}** "
                f"{formats.plain(each.detail)}"
                for each in changes
            )
        )


def _columns(found: Comparison, *, names: tuple[str, str]) -> None:
    if not found.columns:
        st.caption("The two have no column in common.")
        return
    left, right = st.columns([3, 2], gap="small")
    with left:
        _table(found.columns)
    with right.container(border=True):
        drawn = [each for each in found.columns if each.bins]
        if not drawn:
            st.caption(f"At least {drift.MIN_ROWS} rows of either side are needed.")
            return
        name = st.selectbox(
            "Distribution of", [each.column for each in drawn], key="column", bind="query-params"
        )
        column = next(each for each in drawn if each.column == name)
        st.plotly_chart(
            charts_compare.overlay(column.bins, before=names[0], after=names[1]),
            config=charts.CONFIG,
            key="dataset.overlay",
            alt=f"Shares of {name} in {names[0]} and {names[1]}: "
            + ", ".join(
                f"{each.label} {each.reference:.1%} and {each.current:.1%}"
                for each in column.bins[:5]
            ),
        )


def _table(columns: Sequence[ColumnDrift]) -> None:
    frame = pd.DataFrame(
        {
            "Column": [each.column for each in columns],
            "Drift": [[each.level.value] for each in columns],
            "PSI": pd.Series([each.psi for each in columns], dtype="float64"),
            "KS": pd.Series([each.distance for each in columns], dtype="float64"),
            "p": pd.Series([each.p_value for each in columns], dtype="float64"),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=table_height.of(len(frame), at_most=24),
        column_config={
            "Column": st.column_config.TextColumn("Column", pinned=True, width=130),
            "Drift": st.column_config.MultiselectColumn(
                "Drift", options=[each.value for each in Level], color=list(COLORS.values()),
                width=100,
            ),
            "PSI": st.column_config.NumberColumn(
                "PSI", format="%.3f",
                help=f"Population stability index: moderate from {drift.MODERATE}, shifted from "
                f"{drift.LARGE}. Bins are tenths of the reference, or its values.",
            ),
            "KS": st.column_config.NumberColumn(
                "KS distance", format="%.3f",
                help="Largest gap between the two cumulative distributions, 0 to 1",
            ),
            "p": st.column_config.NumberColumn(
                "p-value", format="%.3f",
                help="Of the KS distance. With many rows every difference is significant: the "
                "index decides.",
            ),
        },
        placeholder="–",
        alt="Every shared column with its drift, index and distance, most moved first",
        key="dataset.drift",
    )  # fmt: skip
