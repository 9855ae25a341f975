"""What is set, where it came from, and which versions run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.choices import Origin
from dashboard.settings import HOME, SETTINGS, WORKSPACE_CONFIG, Setting, Settings
from dashboard.versions import Version

SECRET = "set, never shown"


def show(settings: Settings, origins: Mapping[str, Origin]) -> None:
    """Every setting with its value in force; of a secret only whether there is one."""
    rows = [
        {
            "Variable": setting.variable,
            "Value": _value(setting, settings),
            "From": origins[setting.variable].value,
            "Meaning": setting.meaning,
        }
        for setting in SETTINGS
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "Variable": st.column_config.TextColumn(width="medium"),
            "Value": st.column_config.TextColumn(width="medium"),
            "From": st.column_config.TextColumn(width="small"),
            "Meaning": st.column_config.TextColumn(width="large"),
        },
        alt="Settings: variable, value in force, where the value comes from, meaning",
    )


def _value(setting: Setting, settings: Settings) -> str:
    value = settings.variables.get(setting.variable, "")
    if setting.secret:
        return SECRET if value else ""
    absolute = {HOME: settings.home, WORKSPACE_CONFIG: settings.workspace_config}
    return str(absolute.get(setting.variable, value))


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
        height="content",
        alt="Installed packages: name, version, what it is used for",
    )
