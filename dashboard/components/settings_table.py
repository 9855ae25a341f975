"""What is set, where it came from, and which versions run here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.settings import SETTINGS, Settings
from dashboard.versions import Version

ROW_PX = 35


def show(settings: Settings, env: Mapping[str, str] = os.environ) -> None:
    """Every setting with its value in force. None of them is a secret."""
    rows = [
        {
            "Variable": setting.variable,
            "Value": str(getattr(settings, setting.name)),
            "From": setting.origin(env),
            "Meaning": setting.meaning,
        }
        for setting in SETTINGS
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Variable": st.column_config.TextColumn(width="medium"),
            "Value": st.column_config.TextColumn(width="medium"),
            "From": st.column_config.TextColumn(width="small"),
            "Meaning": st.column_config.TextColumn(width="large"),
        },
        alt="Settings: variable, value in force, where the value comes from, meaning",
    )


def show_versions(versions: Sequence[Version]) -> None:
    """Every package the dashboard relies on, and what for."""
    rows = [
        {
            "Package": each.name,
            "Version": each.version or "not installed",
            "Used for": each.purpose,
        }
        for each in versions
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=ROW_PX * (len(rows) + 1) + 3,
        alt="Installed packages: name, version, what it is used for",
    )
