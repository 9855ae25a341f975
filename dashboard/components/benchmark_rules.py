"""What the load tests of a deployment are held against, and how far they may go."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures
from services.apache_bench import REQUEST_LIMIT
from services.domain import Deployment
from services.load_test_rules import STOP_AT_FAILURE_PCT, GuardRails, LoadTestRule, Thresholds


def show(target: Deployment) -> None:
    """Draw both forms for one deployment."""
    with failures.explained():
        rule = session.workspace().load_test_rules.get(target.name)
    thresholds, guard_rails = st.columns(2, gap="small")
    with thresholds:
        _thresholds(rule)
    with guard_rails:
        _guard_rails(rule)


def _thresholds(rule: LoadTestRule) -> None:
    name = rule.deployment
    with st.form(f"benchmark.thresholds.{name}", border=True):
        st.markdown(f"**Thresholds of {formats.plain(name)}**")
        p95_ms = st.number_input(
            "p95, at most (ms)", min_value=0.001, value=rule.thresholds.p95_ms, step=10.0,
            placeholder="not judged", key=f"benchmark.p95_ms.{name}",
        )  # fmt: skip
        failure_pct = st.number_input(
            "Failures, at most (%)", 0.0, 99.9, rule.thresholds.failure_pct, step=0.5,
            placeholder="not judged", key=f"benchmark.failure_pct.{name}",
        )  # fmt: skip
        rate = st.number_input(
            "Requests per second, at least", min_value=0.001,
            value=rule.thresholds.requests_per_s, step=10.0,
            placeholder="not judged", key=f"benchmark.rate.{name}",
        )  # fmt: skip
        st.caption("Every load test of this deployment reads PASS or FAIL by these, past ones too.")
        if st.form_submit_button("Save thresholds", key="benchmark.save_thresholds"):
            wanted = Thresholds(p95_ms=p95_ms, failure_pct=failure_pct, requests_per_s=rate)
            with failures.reported():
                session.workspace().load_test_rules.set_thresholds(name, wanted)
                _saved("The thresholds were saved.")


def _guard_rails(rule: LoadTestRule) -> None:
    name, now = rule.deployment, rule.guard_rails
    with st.form(f"benchmark.guard_rails.{name}", border=True):
        st.markdown(f"**Guard rails of {formats.plain(name)}**")
        budget = st.number_input(
            "Budget of one load test (requests)", 1, REQUEST_LIMIT, now.request_budget, step=1000,
            key=f"benchmark.budget.{name}",
        )  # fmt: skip
        stops = st.toggle(
            "Stop by itself when requests fail",
            now.stop_at_failure_pct is not None,
            key=f"benchmark.stops.{name}",
        )
        share = st.number_input(
            "Stop at failures of (%)", 0.1, 100.0, now.stop_at_failure_pct or STOP_AT_FAILURE_PCT,
            step=5.0, key=f"benchmark.stop_pct.{name}",
        )  # fmt: skip
        st.caption("In force for load tests that begin from now on. Only an admin changes these.")
        if st.form_submit_button("Save guard rails", key="benchmark.save_guard_rails"):
            wanted = GuardRails(
                request_budget=int(budget), stop_at_failure_pct=share if stops else None
            )
            with failures.reported():
                session.workspace().load_test_rules.set_guard_rails(name, wanted)
                _saved("The guard rails were saved.")


def _saved(sentence: str) -> None:
    reads.clear()
    st.toast(sentence, icon=":material/check:")
    st.rerun()
