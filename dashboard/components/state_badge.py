"""One look for every state: green always means well, and red always means look here."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import streamlit as st

from services.domain import ComponentState

Color = Literal["green", "blue", "orange", "red", "gray"]

# By word: a word that several kinds of things share means the same for all of them.
_WORDS: dict[Color, str] = {
    "green": "Healthy Completed Active done",
    "blue": "Transitioning Preparing Provisioning Starting Running Finalizing running",
    "orange": "Unhealthy NotResponding CancelRequested",
    "red": "Failed failed",
    "gray": "Canceled Stopped Disabled NotStarted Queued Paused Unknown waiting",
}
_COLORS: dict[str, Color] = {
    word: color for color, words in _WORDS.items() for word in words.split()
}
_ICONS: dict[Color, str] = {
    "green": ":material/check_circle:",
    "blue": ":material/progress_activity:",
    "orange": ":material/warning:",
    "red": ":material/error:",
    "gray": ":material/radio_button_unchecked:",
}


def color(state: StrEnum) -> Color:
    """The colour of a state; gray for one that says neither well nor unwell."""
    if state is ComponentState.RUNNING:  # to run is all a component has to do
        return "green"
    return _COLORS.get(state.value, "gray")


def show(state: StrEnum, *, help: str | None = None) -> None:
    """The state's own word as a badge."""
    shade = color(state)
    st.badge(state.value, icon=_ICONS[shade], color=shade, help=help)


def markdown(state: StrEnum) -> str:
    """The same badge inside a line of Markdown."""
    shade = color(state)
    return f":{shade}-badge[{_ICONS[shade]} {state.value}]"


def column(label: str, states: type[StrEnum], **options: Any) -> Any:
    """A table column of badges; its cells are lists of one word: ``[run.status.value]``."""
    return st.column_config.MultiselectColumn(
        label,
        options=[state.value for state in states],
        color=[color(state) for state in states],
        **options,
    )
