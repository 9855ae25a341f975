"""A titled card that is honest about what it shows.

Four states: data, really empty, not configured, and failed, with the reason and the
last good copy where there is one, stamped with its age.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import formats, readings, session
from dashboard.components import data_age, failures
from dashboard.readings import Data, Empty, Failed, NotConfigured, Reading, Stamped

T = TypeVar("T")


def show(
    title: str,
    fetch: Callable[[], T | Stamped[T]],
    draw: Callable[[T], object],
    *,
    key: str,
    about: Hashable = (),
    empty: str = "Nothing yet.",
    is_empty: Callable[[T], bool] | None = None,
    not_configured: str = "",
    help: str | None = None,
) -> None:
    """Fetch, then draw what came of it.

    Args:
        fetch: Asks a port or a read. A `ServiceError` becomes the failed state.
        draw: Draws the value; called for fresh data and for the last good copy alike.
        about: Everything else the answer depends on: the window, the deployment.
        empty: What an answer without content means, and the next step.
        is_empty: Whether a value has no content; by default its truth decides.
        not_configured: When given, nobody is asked; the sentence says what to set up.
    """
    with st.container(border=True, key=f"panel-{key}", height="stretch"):
        stamp = _heading(title, help)
        if not_configured:
            draw_reading(NotConfigured(not_configured), draw, stamp=stamp, empty=empty)
            return
        identity = (session.workspace().location, key, about)
        reading = readings.take(
            fetch, identity=identity, is_empty=is_empty or (lambda value: not value)
        )
        draw_reading(reading, draw, stamp=stamp, empty=empty)


def _heading(title: str, help: str | None) -> DeltaGenerator:
    """The title; returns its line, at whose end the stamp goes."""
    line = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"
    )
    line.markdown(f"**{title}**", help=help, width="content")
    return line


def draw_reading(
    reading: Reading[T], draw: Callable[[T], object], *, stamp: DeltaGenerator, empty: str
) -> None:
    """Draw one outcome. `stamp` is where its age is written."""
    match reading:
        case Data(value, at):
            with stamp:
                data_age.show(at)
            draw(value)
        case Empty(at):
            with stamp:
                data_age.show(at)
            st.caption(f":material/inbox: {empty}")
        case NotConfigured(reason):
            with stamp:
                st.badge("Not configured", color="gray", icon=":material/settings:")
            st.caption(reason)
        case Failed(error, at, last):
            with stamp:
                st.badge("Failed", color="red", icon=":material/error:")
            failures.show(error)
            if last is None:
                with st.container(horizontal=True):
                    data_age.show(at, prefix="asked at")
                return
            age = formats.age(last.at, now=datetime.now(UTC))
            data_age.show(last.at, prefix=f"Last good copy, read {age}, at")
            draw(last.value)
