"""A connection test, step by step as it goes: what works, how long it took, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from dashboard import formats, session
from dashboard.components import failures
from services.domain import ConnectionStep, StepOutcome

STEPS = "settings.connection-steps"
LOOKS: dict[StepOutcome, tuple[Literal["green", "red", "orange", "gray"], str]] = {
    StepOutcome.PASSED: ("green", ":material/check_circle:"),
    StepOutcome.PARTLY: ("orange", ":material/warning:"),
    StepOutcome.FAILED: ("red", ":material/cancel:"),
    StepOutcome.NOT_TRIED: ("gray", ":material/radio_button_unchecked:"),
}


def show(described: Mapping[str, str] | None) -> None:
    """Run the test where one is asked for, else show what the last one found."""
    with st.container(border=True, key="settings-connection"):
        st.markdown("**Connection test**")
        if described is not None:
            _run(described)
            return
        found: Sequence[ConnectionStep] = st.session_state.get(STEPS, ())
        if not found:
            st.caption(
                "Signs in, looks for the subscription and the workspace, asks each of its services "
                "for a list, and Application Insights for a row. It changes nothing."
            )
        for step in found:
            _step(step)


def forget() -> None:
    st.session_state.pop(STEPS, None)


def _run(described: Mapping[str, str]) -> None:
    forget()
    found: list[ConnectionStep] = []
    with failures.reported(), st.spinner("Trying…"):
        for step in session.test_connection(described):
            found.append(step)
            _step(step)
    st.session_state[STEPS] = tuple(found)


def _step(step: ConnectionStep) -> None:
    color, icon = LOOKS[step.outcome]
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":{color}[{icon}] **{step.title}**", width="content")
            st.badge(step.outcome.value, color=color)
            if step.outcome is not StepOutcome.NOT_TRIED:
                st.space("stretch")
                st.caption(formats.milliseconds(step.elapsed_ms), width="content")
        st.caption(formats.plain(formats.sentence(step.detail)))
