"""All load tests together: as a table, two side by side, over time, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import reads, shell
from dashboard.components import (
    benchmark_capacity,
    benchmark_compare,
    benchmark_history,
    benchmark_rules,
    benchmark_trend,
    empty,
    failures,
)
from services.domain import Deployment, LoadTest

VIEW = "benchmark_view"
HISTORY, COMPARE, TREND = "History", "Compare", "Trend"
CAPACITY, RULES = "Capacity", "Rules"
HISTORY_S = 2.0


def show(tests: Sequence[LoadTest], test: LoadTest | None, target: Deployment | None) -> None:
    """Draw the tabs.

    Args:
        test: the open one.
        target: the deployment the form is about.
    """
    history, compare, trend, capacity, rules = st.tabs(
        (HISTORY, COMPARE, TREND, CAPACITY, RULES), key=VIEW, bind="query-params", on_change="rerun"
    )
    if history.open:
        with history:
            _history(tests)
    if compare.open:
        with compare:
            benchmark_compare.show(tests, test)
    if trend.open:
        with trend:
            of = (test.deployment if test else None) or (target.name if target else None)
            benchmark_trend.show(tests, of, zone=shell.zone())
    if capacity.open:
        with capacity:
            if target is None:
                empty.show("Nothing is deployed, so there is no capacity to find.")
            else:
                benchmark_capacity.show(target)
    if rules.open:
        with rules:
            if target is None:
                empty.show("Nothing is deployed, so there is nothing to decide about.")
            else:
                benchmark_rules.show(target)


def _history(tests: Sequence[LoadTest]) -> None:
    """Every test; followed while one of them runs."""
    if not tests:
        empty.show("No load test yet. Run one, or import a report of ab.")
        return

    def table() -> None:
        with failures.explained():
            benchmark_history.show(
                reads.load_tests(), rules=reads.load_test_rules(), zone=shell.zone()
            )

    active = any(not each.state.settled for each in tests)
    st.fragment(table, run_every=HISTORY_S if active else shell.refresh_interval())()
