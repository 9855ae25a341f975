"""A load test under way: how far it is, and the button that ends it."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import formats, reads, session, shell
from dashboard.components import benchmark_result, failures
from services.domain import LoadTest, LoadTestState

LIVE_S = 0.5


def show(load_test_id: str) -> None:
    """Follow the test until it has ended, then draw the page anew with its result."""

    @st.fragment(run_every=LIVE_S)
    def live() -> None:
        with failures.explained():
            test = session.workspace().load_tests.get(load_test_id)
            if test.state.settled:
                reads.clear()
                st.rerun()
            now = datetime.now(UTC)
            benchmark_result.heading(test, now=now, zone=shell.zone())
            share, text = progress(test, now=now)
            st.progress(share, text=text)
            if st.button("Stop", key="benchmark.stop", icon=":material/stop_circle:"):
                session.workspace().load_tests.stop(load_test_id)
                st.toast("The load test is being stopped.", icon=":material/stop_circle:")

    live()


def progress(test: LoadTest, *, now: datetime) -> tuple[float, str]:
    """How far a test is, from 0 to 1, and the same in words."""
    if test.state is LoadTestState.QUEUED or test.started_at is None:
        return 0.0, "Waiting for the supervisor to start it"
    elapsed_s = (now - test.started_at).total_seconds()
    plan = test.plan
    done = formats.plural(test.done_count, "request")
    rate = f" · {test.done_count / elapsed_s:,.0f} a second" if elapsed_s > 1 else ""
    if plan is not None and plan.seconds:
        text = f"{formats.seconds(elapsed_s)} of {plan.seconds} s · {done}{rate}"
        return min(1.0, max(0.0, elapsed_s / plan.seconds)), text
    asked = plan.requests if plan is not None and plan.requests else 1
    text = f"{formats.count(test.done_count)} of {formats.plural(asked, 'request')}"
    return min(1.0, test.done_count / asked), f"{text} · {formats.seconds(elapsed_s)}{rate}"
