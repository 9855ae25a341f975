"""Table columns that several tables of the pipelines page share."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import streamlit as st


def instant(label: str, zone: tzinfo) -> Any:
    """A column of instants in the viewer's zone."""
    return st.column_config.DatetimeColumn(
        label,
        format="D MMM, HH:mm",
        timezone=str(zone),
        help=f"In your time zone, {zone}",
        width=100,
    )
