"""What needs attention, worst first; each entry leads to the page where it is dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import streamlit as st

from dashboard import formats, navigation
from dashboard.components import data_age, runs_scope
from dashboard.overview_facts import Facts
from services.attention import Attention, Severity

SHOWN = 6
TITLES = {page.file: page.title for page in navigation.REGISTRY}
LOOKS: dict[Severity, tuple[Literal["red", "orange", "blue"], str]] = {
    Severity.CRITICAL: ("red", ":material/error:"),
    Severity.WARNING: ("orange", ":material/warning:"),
    Severity.NOTICE: ("blue", ":material/info:"),
}


def badge(entries: Sequence[Attention], facts: Facts) -> None:
    """One word for the whole workspace, beside the title."""
    if not entries and (facts.failures or facts.experiments_left):
        st.badge("Not everything was checked", color="gray", icon=":material/visibility_off:")
        return
    if not entries:
        st.badge("All well", color="green", icon=":material/check_circle:")
        return
    color, icon = LOOKS[entries[0].severity]
    count = len(entries)
    text = f"{count} {'needs' if count == 1 else 'need'} attention"
    st.badge(text, color=color, icon=icon)


def show(entries: Sequence[Attention], facts: Facts) -> None:
    """Draw the list, or that there is nothing on it, and what could not be checked."""
    with st.container(border=True, height="stretch", key="attention"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Needs attention**", width="content")
            if entries:
                color, _ = LOOKS[entries[0].severity]
                st.badge(str(len(entries)), color=color)
            st.space("stretch")
            data_age.show(facts.now)
        for entry in entries[:SHOWN]:
            _entry(entry, facts.now)
        if len(entries) > SHOWN:
            st.caption(f"and {len(entries) - SHOWN} more, less urgent")
        unchecked = facts.failures
        if not entries and not unchecked:
            which = "of what was checked " if facts.experiments_left else ""
            st.markdown(f":green[:material/check_circle:] Nothing {which}needs attention.")
        if facts.experiments_left:
            _unlooked(facts.experiments_left)
        for name, failed in unchecked:
            st.caption(
                f":red[:material/cloud_off:] Not checked: {name}. "
                + formats.sentence(str(failed.error))
            )


def _unlooked(experiments: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        others = formats.plural(experiments, "older experiment")
        st.caption(f"Not checked: the runs of {others}.", width="content")
        st.page_link(
            navigation.to("training_runs"),
            label="Look at all",
            icon=":material/arrow_forward:",
            query_params={runs_scope.KEY: runs_scope.EVERY},
        )


def _entry(entry: Attention, now: datetime) -> None:
    color, icon = LOOKS[entry.severity]
    with st.container(gap="xxsmall"):
        st.markdown(f":{color}[{icon}] **{formats.plain(entry.title)}**")
        if entry.detail:
            st.caption(formats.sentence(entry.detail))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                navigation.to(entry.page),
                label=f"Open {TITLES[entry.page]}",
                icon=":material/arrow_forward:",
                query_params=dict(entry.address),
            )
            if entry.since:
                age = formats.age(entry.since, now=now)
                st.badge(age, color="gray", help=formats.utc(entry.since))
