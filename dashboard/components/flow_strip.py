"""The flow from a dataset to a schedule, as seven tiles: how far it has come, each a link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import streamlit as st

from dashboard import formats, navigation, shell
from dashboard.components import state_badge
from services.domain import FlowStepState
from services.flow_state import Stage

ICONS = {
    "dataset": ":material/table_view:",
    "training": ":material/model_training:",
    "deployment": ":material/ecg_heart:",
    "telemetry": ":material/monitoring:",
    "scoring": ":material/bolt:",
    "benchmark": ":material/speed:",
    "schedule": ":material/event_repeat:",
}


def show(stages: Sequence[Stage], *, now: datetime) -> None:
    """Draw the tiles in order, side by side."""
    places = st.columns(len(stages), gap="xsmall", border=True)
    for number, (place, stage) in enumerate(zip(places, stages, strict=True), 1):
        with place:
            _tile(number, stage, now)


def _tile(number: int, stage: Stage, now: datetime) -> None:
    st.page_link(
        navigation.to(stage.page),
        label=f"**{stage.title}**",
        icon=ICONS[stage.key],
        query_params=dict(stage.address),
        help=_hover(number, stage),
    )
    st.markdown("  \n".join(_lines(stage, now)))


def _lines(stage: Stage, now: datetime) -> Iterator[str]:
    """One text, as each element of a page costs."""
    if stage.state is None:
        yield ":red-badge[:material/cloud_off: unknown]"
    else:
        yield state_badge.markdown(stage.state)
    headline = formats.plain(stage.headline)
    yield f":gray[{headline}]" if stage.state is FlowStepState.WAITING else headline
    if stage.detail or stage.at:
        yield f":small[:gray[{_small_print(stage, now)}]]"


def _small_print(stage: Stage, now: datetime) -> str:
    age = formats.age(stage.at, now=now) if stage.at else ""
    return " · ".join(filter(None, (formats.plain(stage.detail), age)))


def _hover(number: int, stage: Stage) -> str:
    if stage.at is None:
        return f"Step {number} of 7"
    here = stage.at.astimezone(shell.zone())
    return f"Step {number} of 7 · {here:%Y-%m-%d %H:%M:%S} here, {formats.utc(stage.at)}"
