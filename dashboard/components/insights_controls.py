"""What the page is about: which deployment, in which bins. Both are in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import insights_view, shell
from dashboard.insights_view import View
from services.domain import Deployment

ALL = "All deployments"
AUTO = "Auto"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen. The window itself is taken anew each time a live part asks."""

    deployment: str | None
    bin: str | None
    own_traffic: bool = True
    compared: bool = False

    def view(self) -> View:
        return View(
            deployment=self.deployment,
            window=insights_view.with_bin(shell.window(), self.bin),
            span=shell.window_label(),
            own_traffic=self.own_traffic,
            compared=self.compared,
        )


def show(deployments: Sequence[Deployment]) -> Choice:
    """One row of choices that every chart and table follows."""
    names = [deployment.name for deployment in deployments]
    asked = st.query_params.get("deployment")
    if asked and asked not in (*names, ALL):
        names.append(asked)  # deleted since the link was made: its telemetry is still there
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Deployment", [ALL, *names], key="deployment", bind="query-params", width=280
        )
        bin_name = st.selectbox(
            "Bin",
            [AUTO, *insights_view.bins_for(shell.window())],
            key="bin",
            bind="query-params",
            width=140,
            help="How much time one point of a chart stands for",
        )
        compared = st.toggle(
            "Compare with the period before",
            key="compared",
            bind="query-params",
            help="Draws the period of the same length before this one under it, and its changes",
        )
        others_only = st.toggle(
            "Leave out own benchmark and probe traffic",
            key="others-only",
            bind="query-params",
            help="Benchmarks and probes mark what they send; everything on this page but "
            "availability tests then speaks of other callers only",
        )
    return Choice(
        None if name == ALL else name,
        None if bin_name == AUTO else bin_name,
        own_traffic=not others_only,
        compared=compared,
    )
