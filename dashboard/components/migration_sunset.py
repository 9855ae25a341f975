"""What has ended and what will, in days, each with its source."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dashboard import versions
from dashboard.navigation import REGISTRY
from services.migration import sunset
from services.migration.sunset import Standing

SDK = ("azureml-core", "azureml-pipeline-core", "applicationinsights")


def show(today: date) -> None:
    """Draw one line per fact, then what is installed here."""
    standings = sunset.standings(today)
    installed = {each.name: each.version for each in versions.installed()}
    with st.container(border=True, gap="small", key="sunset"):
        for standing in standings:
            _row(standing)
        held = " · ".join(f"{name} {installed[name]}" for name in SDK if installed.get(name))
        st.caption(
            f"Installed here: {held} on Python {installed.get('Python', '')}. "
            "They name no Python after 3.11, the version this dashboard needs too."
        )


def _row(standing: Standing) -> None:
    fact = standing.fact
    when, what, source = st.columns([2, 9, 1], vertical_alignment="top")
    with when:
        st.badge(
            standing.words[0].upper() + standing.words[1:],
            color="red" if standing.over else "orange",
        )
    with what, st.container(gap="xxsmall"):
        st.markdown(f"**{fact.what}** · {fact.ends_on:%-d %B %Y}")
        st.caption(fact.meaning + _leaning(fact.pages))
    with source:
        st.page_link(fact.source, label="Source")


def _leaning(pages: tuple[str, ...]) -> str:
    titles = [page.title for page in REGISTRY if page.file in pages]
    return f" Leans on it: {', '.join(titles)}." if titles else ""
