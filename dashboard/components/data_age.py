"""When what is shown was read, in the viewer's zone; UTC on hover."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, shell


def show(at: datetime, *, prefix: str = "as of") -> None:
    """A clock time rather than an age: it stays true while nobody refreshes."""
    text = formats.instant(at, zone=shell.zone(), now=datetime.now(UTC))
    st.badge(f"{prefix} {text}", color="gray", help=formats.utc(at))
