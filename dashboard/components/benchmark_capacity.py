"""How many requests at a time a deployment holds: ask for a search, follow it, read it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import benchmark_form, confirm, failures, state_badge
from services import load_test_rules
from services.apache_bench import CONCURRENCY_LIMIT, REQUEST_LIMIT
from services.capacity import CapacityPlan, CapacitySearch, Step
from services.domain import Deployment

LIVE_S = 1.0
BUDGET = 5_000


def show(target: Deployment) -> None:
    """Draw the form and the newest search of one deployment."""
    form, result = st.columns([1, 2.4], gap="small")
    with form:
        _form(target)
    with result.container(border=True, height="stretch"):
        _followed(target.name)


def _form(target: Deployment) -> None:
    name = target.name
    with failures.explained():
        rule = session.workspace().load_test_rules.get(name)
    with st.container(border=True):
        st.markdown(f"**Find the capacity of {formats.plain(name)}**")
        st.caption(
            "Doubles the requests at a time until a step breaks a limit or brings no more "
            "throughput, then closes in. Sends the payload of the form above."
        )
        p95_ms = st.number_input(
            "p95, at most (ms)", min_value=0.001, value=rule.thresholds.p95_ms, step=10.0,
            placeholder="not judged", key=f"capacity.p95_ms.{name}",
        )  # fmt: skip
        failure_pct = st.number_input(
            "Failures, at most (%)", 0.0, 99.9,
            1.0 if rule.thresholds.failure_pct is None else rule.thresholds.failure_pct,
            step=0.5, key=f"capacity.failure_pct.{name}",
        )  # fmt: skip
        budget, most = st.columns(2, gap="small")
        request_budget = budget.number_input(
            "Budget (requests)", 59, REQUEST_LIMIT,
            max(59, min(BUDGET, rule.guard_rails.request_budget)), step=1000,
            help="Of all steps together", key=f"capacity.budget.{name}",
        )  # fmt: skip
        at_most = most.number_input(
            "Up to (at a time)", 1, CONCURRENCY_LIMIT, 64, key=f"capacity.most.{name}"
        )
        plan = CapacityPlan(
            deployment=name,
            payload=str(st.session_state.get(benchmark_form.PAYLOAD, "")),
            p95_ms=p95_ms,
            failure_pct=failure_pct,
            request_budget=int(request_budget),
            step_requests=min(100, int(request_budget)),
            most=int(at_most),
        )
        confirmed = _asked_for(target, plan)
        if confirmed is not None:
            with failures.reported():
                try:
                    session.workspace().capacity.begin(plan, confirmed=confirmed)
                finally:
                    reads.clear()  # a refusal may tell of a search that another tab has begun
                st.rerun()


def _asked_for(target: Deployment, plan: CapacityPlan) -> str | None:
    """What was typed to confirm it, empty where that is not needed; None: not asked for."""
    disabled = not plan.payload.strip()
    if target.scoring_uri is None or load_test_rules.loopback(target.scoring_uri):
        pressed = st.button(
            "Find capacity", key="capacity.begin", icon=":material/speed:", disabled=disabled
        )
        return "" if pressed else None
    agreed = confirm.show(
        "Find capacity…",
        key="capacity.begin",
        question=f"Load {formats.plain(target.name)} to its limit?",
        consequence=(
            f"Up to {formats.plural(plan.request_budget, 'request')} leave this machine for "
            f"{formats.plain(target.scoring_uri)}, more at a time with each step. Its other "
            "callers will wait, and you may pay for it."
        ),
        verb="Find capacity",
        typed=target.name,
        icon=":material/speed:",
        disabled=disabled,
    )
    return target.name if agreed else None


def _followed(deployment: str) -> None:
    """The newest search, live while it runs."""
    found = session.workspace().capacity.list(deployment)
    if not found:
        st.caption("No search yet. What it finds, and each of its steps, is here then.")
        return
    if found[0].state.settled:
        _search(found[0])
        return

    @st.fragment(run_every=LIVE_S)
    def live() -> None:
        with failures.explained():
            search = session.workspace().capacity.get(found[0].id)
            if search.state.settled:
                reads.clear()
                st.rerun()
            _search(search)
            if st.button("Stop", key="capacity.stop", icon=":material/stop_circle:"):
                session.workspace().capacity.stop(search.id)
                st.toast("The search is being stopped.", icon=":material/stop_circle:")

    live()


def _search(search: CapacitySearch) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Capacity**", width="content")
        state_badge.show(search.state)
        st.caption(
            f"{formats.count(search.spent)} of {formats.count(search.plan.request_budget)} "
            "requests of its budget",
            help=formats.utc(search.created_at),
        )
    if search.reason:
        st.info(formats.plain(search.reason), icon=":material/speed:")
    if best := search.last_good:
        held, rate, p95 = st.columns(3, gap="small")
        held.metric("Holds", f"{best.concurrency} at a time", border=True)
        rate.metric("Requests per second", _rate(best), border=True)
        p95.metric("p95", formats.milliseconds(best.p95_ms), border=True)
    _steps(search.steps)


def _steps(steps: Sequence[Step]) -> None:
    if not steps:
        st.caption("The first step is under way.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "At a time": [step.concurrency for step in steps],
                "Holds": ["yes" if step.held else "no" for step in steps],
                "Req/s": [_rate(step) for step in steps],
                "p95": [formats.milliseconds(step.p95_ms) for step in steps],
                "Failed": [formats.percent(step.failure_share) for step in steps],
                "Reason": [step.broken for step in steps],
            }
        ),
        hide_index=True,
        column_config={"Reason": st.column_config.TextColumn(width="large")},
        key="capacity.steps",
        alt="Steps of the search: requests at a time, whether they hold, throughput and p95",
    )


def _rate(step: Step) -> str:
    return formats.NOTHING if step.requests_per_s is None else f"{step.requests_per_s:,.1f}"
