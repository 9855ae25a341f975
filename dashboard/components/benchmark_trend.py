"""Every load test of one deployment as a point, with the verdict on each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from dashboard import charts, charts_load_trend, formats, reads
from dashboard.components import empty
from services import load_test_comparison as comparison
from services import load_test_verdict
from services.domain import LoadTest
from services.load_test_rules import LoadTestRule

OF, FIGURE = "trend_of", "trend"


def show(tests: Sequence[LoadTest], deployment: str | None, *, zone: tzinfo) -> None:
    """Draw the trend of the chosen deployment; `deployment` is proposed."""
    names = sorted({test.deployment for test in tests if test.deployment and test.report})
    if not names:
        empty.show("No load test has measured anything yet. Run one, and it is a point here.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Trend of",
            names,
            index=names.index(deployment) if deployment in names else 0,
            key=OF,
            bind="query-params",
            width=280,
        )
        figure = st.segmented_control(
            "Figure",
            charts_load_trend.FIGURES,
            default=charts_load_trend.P95,
            required=True,
            key=FIGURE,
            bind="query-params",
        )
    rule = reads.load_test_rules().get(name) or LoadTestRule(deployment=name)
    shown = comparison.trend(tests, name)
    verdicts = {each.id: load_test_verdict.judge(each, rule.thresholds) for each in shown}
    wanted = str(figure or charts_load_trend.P95)
    st.plotly_chart(
        charts_load_trend.trend(
            shown,
            wanted,
            verdicts=verdicts,
            thresholds=rule.thresholds,
            baseline=next((each for each in shown if each.id == rule.baseline_id), None),
            zone=zone,
        ),
        config=charts.CONFIG,
        key="benchmark.trend_chart",
        alt=f"{wanted} of each load test of the deployment over time",
    )
    withheld = sum(charts_load_trend.value(each, wanted) is None for each in shown)
    notes = [formats.plural(len(shown), "load test")]
    if withheld:
        notes.append(f"{withheld} with too few requests to tell {wanted}")
    if (payloads := len({each.payload_sha256 for each in shown})) > 1:
        notes.append(f"{payloads} different payloads, not like for like")
    st.caption(f":material/info: {'; '.join(notes)}.")
