"""Two load tests held against each other, like for like or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import charts, charts_load_trend, formats, reads, session
from dashboard.components import empty, failures
from services import load_test_comparison as comparison
from services.domain import LoadTest

BASELINE = "baseline"  # in the address


def show(tests: Sequence[LoadTest], test: LoadTest | None) -> None:
    """Draw the comparison of the open test with another one."""
    measured = {each.id: each for each in tests if each.report is not None}
    if test is None or test.id not in measured or len(measured) < 2:
        empty.show("Two load tests that measured something are needed. Run or open another one.")
        return
    rule = reads.load_test_rules().get(test.deployment or "")
    pinned = rule.baseline_id if rule else None
    baseline = _chosen(measured, test, pinned)
    if baseline is None:
        return
    _pin(test, baseline, pinned)
    if why_not := comparison.refusal(baseline, test):
        st.warning(formats.plain(why_not), icon=":material/difference:")
        return
    figures, overlay = st.columns([1, 1.4], gap="small")
    with figures:
        _table(baseline, test)
    with overlay:
        st.plotly_chart(
            charts_load_trend.overlay(baseline, test),
            config=charts.CONFIG,
            key="benchmark.overlay",
            alt="Response times of both load tests in milliseconds by percentile",
        )
    if others := comparison.differences(baseline, test):
        st.caption(f":material/info: Also different: {formats.plain('; '.join(others))}.")


def _chosen(measured: dict[str, LoadTest], test: LoadTest, pinned: str | None) -> LoadTest | None:
    """The test the open one is held against; the address remembers it."""
    others = [each for each in measured if each != test.id]
    asked = st.query_params.get(BASELINE)
    first = comparison.against(tuple(measured.values()), test, pinned)
    proposed = asked if asked in others else first.id if first is not None else others[0]
    picked = st.selectbox(
        f"Compare “{formats.plain(test.name)}” with",
        others,
        index=others.index(proposed),
        format_func=lambda each: _label(measured[each], pinned),
        key=f"benchmark.baseline.{test.id}",
    )
    if picked != proposed or asked not in (None, picked):
        st.query_params[BASELINE] = picked
    return measured.get(picked)


def _label(test: LoadTest, pinned: str | None) -> str:
    mark = " · baseline" if test.id == pinned else ""
    return f"{test.name} · {test.created_at:%Y-%m-%d %H:%M:%S} UTC{mark}"


def _pin(test: LoadTest, baseline: LoadTest, pinned: str | None) -> None:
    """Pin the compared test for its deployment, or take the pin away."""
    deployment = baseline.deployment
    if deployment is None or deployment != test.deployment:
        return
    rules = session.workspace().load_test_rules
    is_pinned = baseline.id == pinned
    if st.button(
        "Unpin baseline" if is_pinned else "Pin as baseline",
        key="benchmark.unpin" if is_pinned else "benchmark.pin",
        icon=":material/keep_off:" if is_pinned else ":material/keep:",
        help=f"Load tests of {formats.plain(deployment)} are compared with the pinned one first",
    ):
        with failures.reported():
            if is_pinned:
                rules.unpin(deployment)
            else:
                rules.pin(deployment, baseline.id)
            reads.clear()
            st.rerun()


def _table(baseline: LoadTest, other: LoadTest) -> None:
    assert baseline.report is not None and other.report is not None
    rows = [
        (
            "Slowest" if each.rank == 100 else f"p{each.rank}",
            formats.milliseconds(each.before_ms),
            formats.milliseconds(each.after_ms),
            change(each.change),
        )
        for each in comparison.deltas(baseline, other)
    ]
    before, after = baseline.report.requests_per_s, other.report.requests_per_s
    rate = change(after / before - 1) if before else formats.NOTHING
    rows.append(("Requests/s", f"{before:,.1f}", f"{after:,.1f}", rate))
    st.dataframe(
        pd.DataFrame(rows, columns=["Figure", "Baseline", "Compared", "Change"]),
        hide_index=True,
        key="benchmark.deltas",
        alt="Percentiles of both load tests and the change of each",
    )
    st.caption("A percentile is left out where one of the samples is too small for it.")


def change(share: float | None) -> str:
    """``+12.3 %``; slower is more."""
    return formats.NOTHING if share is None else f"{100 * share:+.1f} %"
