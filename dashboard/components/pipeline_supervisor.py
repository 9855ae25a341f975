"""Says when nobody keeps the workspace running: schedules do not fire then, and runs wait."""

from __future__ import annotations

import streamlit as st

from dashboard import reads
from services.domain import ComponentState


def show() -> None:
    """What that means here; that it is so, the frame of every page says."""
    for component in reads.components():
        if component.name == "supervisor" and component.state is not ComponentState.RUNNING:
            st.caption(
                ":orange[:material/power_off:] Until a supervisor runs, schedules do not fire and "
                "submitted runs stay Queued."
            )
