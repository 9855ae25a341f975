"""One load test that has ended: speed, percentiles with what they are worth, failures."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard import charts, charts_benchmark, drawing, formats
from dashboard.components import state_badge
from services import load_test_findings as findings
from services import percentile_bounds
from services.domain import BenchReport, LoadTest, LoadTestPlan, LoadTestState
from services.load_test_verdict import Outcome, Verdict
from services.scoring import SCORING_LIMIT_S

VERDICT_COLORS: dict[Outcome, Literal["green", "red", "gray"]] = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.UNDECIDED: "gray",
}


_histogram = drawing.drawn(charts_benchmark.histogram)
_curve = drawing.drawn(charts_benchmark.curve)


def show(test: LoadTest, *, verdict: Verdict | None, now: datetime, zone: tzinfo) -> None:
    """Draw it. Tests that measured nothing say why.

    Args:
        verdict: on its deployment's thresholds; None: it is not judged.
    """
    heading(test, verdict=verdict, now=now, zone=zone)
    if verdict is not None and verdict.reasons:
        word = st.error if verdict.outcome is Outcome.FAIL else st.info
        word(f"{verdict.outcome}: {'. '.join(verdict.reasons)}.", icon=":material/rule:")
    if test.error:
        word = st.warning if test.state is LoadTestState.STOPPED else st.error
        word(formats.plain(test.error), icon=":material/error:")
    if test.report is None:
        st.caption("Nothing was measured.")
        return
    _figures(test, test.report)
    _charts(test.report)
    _failures(test)


def heading(test: LoadTest, *, verdict: Verdict | None = None, now: datetime, zone: tzinfo) -> None:
    """What it was, how it ended, and when."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{formats.plain(test.name)}**")
        state_badge.show(test.state)
        if verdict is not None:
            st.badge(verdict.outcome.value, color=VERDICT_COLORS[verdict.outcome])
        if test.imported:
            st.badge("Imported", color="gray", icon=":material/upload_file:")
        st.space("stretch")
        at = test.started_at or test.created_at
        st.caption(formats.instant(at, zone=zone, now=now), help=formats.utc(at), width="content")


_SURE = (
    "Below it: between which values the true percentile lies, 95 % sure. Another test under the "
    "same conditions would measure another value."
)


def _figures(test: LoadTest, report: BenchReport) -> None:
    grid = st.columns(4, gap="small")
    _tile(
        grid[0],
        "Requests per second",
        f"{report.requests_per_s:,.2f}" if report.requests_per_s < 100
        else formats.count(report.requests_per_s),
        f"{formats.count(report.complete_count)} in {formats.seconds(report.total_s)}",
    )  # fmt: skip
    _tile(grid[1], "p50", _rank(report, 50), _inside(test, 50), help="The median")
    _tile(grid[2], "p95", _rank(report, 95), *_worth(report, 95), help=_SURE)
    _tile(grid[3], "p99", _rank(report, 99), *_worth(report, 99), help=_SURE)
    grid = st.columns(4, gap="small")
    _tile(
        grid[0], "Mean", formats.milliseconds(report.mean_ms),
        f"{formats.plural(report.concurrency or 1, 'request')} at a time",
        help="As ab computes it: concurrency × total time ÷ requests",
    )  # fmt: skip
    _tile(
        grid[1], "Slowest", formats.milliseconds(report.max_ms),
        f"fastest {formats.milliseconds(report.min_ms)}",
    )  # fmt: skip
    margin = findings.margin_ms(report)
    _tile(
        grid[2], f"Margin to {SCORING_LIMIT_S:.0f} s", _signed(margin),
        "below Azure's limit" if margin is None or margin >= 0 else "over Azure's limit",
        "off" if margin is None or margin >= 0 else "red",
        help="Azure ends a scoring request after 60 s; the margin is what the slowest left",
    )  # fmt: skip
    failed = findings.failure_count(test)
    _tile(
        grid[3], "Failed", formats.count(failed),
        formats.percent(findings.failure_share(test), digits=1 if failed else 0),
        "red" if failed else "green",
    )  # fmt: skip


def _tile(
    place: st.delta_generator.DeltaGenerator,
    label: str,
    value: str,
    below: str = "",
    color: str = "off",
    *,
    help: str | None = None,
) -> None:
    place.metric(
        label,
        value,
        delta=below or None,
        delta_color=color,  # type: ignore[arg-type]
        delta_arrow="off",
        border=True,
        help=help,
    )


def _rank(report: BenchReport, rank: int) -> str:
    return formats.milliseconds(report.percentiles_ms.get(rank))


def _inside(test: LoadTest, rank: int) -> str:
    took = test.answers.run_percentiles_ms.get(rank) if test.answers else None
    return "the median" if took is None else f"{formats.milliseconds(took)} inside run()"


def _worth(report: BenchReport, rank: int) -> tuple[str, str]:
    """What to say below a percentile, and in which colour."""
    why_not = findings.unsupported(rank, report)
    if why_not:
        return f"needs {findings.needed(rank)} samples", "orange"
    found = percentile_bounds.bounds(report.percentiles_ms, report.complete_count, rank)
    if found is None:
        return f"{formats.count(report.complete_count)} samples", "off"
    return _between(*found), "off"


def _between(low_ms: float, high_ms: float) -> str:
    """Both in the same unit where they have one: ``12–15 ms``."""
    low, high = formats.milliseconds(low_ms), formats.milliseconds(high_ms)
    return f"{low.removesuffix(' ms') if high.endswith(' ms') else low}–{high}"


def _signed(value_ms: float | None) -> str:
    if value_ms is None:
        return formats.NOTHING
    return f"{value_ms / 1000:.2f} s"


def _charts(report: BenchReport) -> None:
    warnings = [
        why for rank in (95, 99) if (why := findings.unsupported(rank, report))
    ]  # fmt: skip
    if warnings:
        st.caption(f":material/info: {'. '.join(warnings)}.")
    spread, ranks = st.columns(2, gap="small")
    with spread.container(border=True, height="stretch"):
        st.markdown("**Response times**")
        if report.histogram:
            st.plotly_chart(
                _histogram(report),
                config=charts.CONFIG,
                key="benchmark.histogram",
                alt="Histogram of response times in milliseconds",
            )
        else:
            st.caption("An imported report has no single requests; its percentiles are beside.")
    with ranks.container(border=True, height="stretch"):
        st.markdown("**Percentiles**")
        st.plotly_chart(
            _curve(report),
            config=charts.CONFIG,
            key="benchmark.curve",
            alt="Response time in milliseconds by percentile of requests",
        )


def _failures(test: LoadTest) -> None:
    found = findings.causes(test)
    if not found:
        checked = (
            "every answer was a 2xx with a result inside"
            if test.answers
            else "nobody looked inside the answers"
        )
        st.caption(f":material/check_circle: No request failed; {checked}.")
        return
    tried = test.report.complete_count if test.report else 0
    st.markdown("**Failures by cause**")
    st.dataframe(
        pd.DataFrame(
            {
                "Noticed in": [cause.side.value for cause in found],
                "Cause": [cause.name for cause in found],
                "Requests": [cause.count for cause in found],
                "Share": [100 * cause.count / max(tried, 1) for cause in found],
                "Meaning": [cause.meaning for cause in found],
            }
        ),
        hide_index=True,
        column_config={
            "Noticed in": st.column_config.TextColumn(width=90),
            "Cause": st.column_config.TextColumn(width=150),
            "Requests": st.column_config.NumberColumn(format="localized", width=80),
            "Share": st.column_config.ProgressColumn(
                format="%.1f %%", min_value=0, max_value=100, width=110
            ),
            "Meaning": st.column_config.TextColumn(width=300),
        },
        key="benchmark.failures",
        alt="Failed requests by cause, with counts and shares",
    )


def details(test: LoadTest) -> None:
    """Under what conditions it was measured, and every figure of ``ab``."""
    left, right = st.columns(2, gap="small")
    with left:
        st.markdown("**Conditions**")
        st.table(_two_columns(_conditions(test)), border="horizontal")
    if test.report is None:
        return
    with right:
        st.markdown("**Connection times** (ms)")
        if test.report.phases:
            st.table(_phases(test.report), border="horizontal")
        for warning in test.warnings:
            st.caption(f":material/warning: {formats.plain(warning)}")
        st.markdown("**Transfer**")
        st.table(_two_columns(_transfer(test.report)), border="horizontal")


def _conditions(test: LoadTest) -> dict[str, str]:
    plan = test.plan
    return {
        "Deployment": test.deployment or formats.NOTHING,
        "Model": test.model_id or formats.NOTHING,
        **(_asked(plan) if plan else {}),
        "Payload SHA-256": _shortened(test.payload_sha256),
        **test.settings,
    }


def _shortened(sha256: str | None) -> str:
    """Enough of a hash to tell payloads apart."""
    return formats.NOTHING if sha256 is None else f"{sha256[:16]}…"


def _asked(plan: LoadTestPlan) -> dict[str, str]:
    limit = (
        formats.plural(plan.requests, "request")
        if plan.requests is not None
        else f"{plan.seconds} s"
    )
    return {
        "Limited by": limit,
        "At a time": formats.count(plan.concurrency),
        "Keep-alive": "yes" if plan.keep_alive else "no",
        "Given up after": f"{plan.timeout_s} s without an answer",
    }


def _phases(report: BenchReport) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "min": [f"{each.min_ms:g}" for each in report.phases],
            "mean": [f"{each.mean_ms:g}" for each in report.phases],
            "± sd": [f"{each.deviation_ms:g}" for each in report.phases],
            "median": [f"{each.median_ms:g}" for each in report.phases],
            "max": [f"{each.max_ms:g}" for each in report.phases],
        },
        index=[each.name for each in report.phases],
    )


def _transfer(report: BenchReport) -> dict[str, str]:
    address = f"{report.host}:{report.port}{report.path}" if report.host else ""
    rows = {
        "Address": address,
        "Server": report.server_software,
        "Received": formats.size(report.transferred_bytes),
        "Sent": formats.size(report.sent_bytes),
        "Answer bodies": formats.size(report.body_bytes),
        "Over kept connections": (
            "" if report.keep_alive_count is None else formats.count(report.keep_alive_count)
        ),
    }
    return {name: value for name, value in rows.items() if value}


def _two_columns(values: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {" ": [formats.plain(value) for value in values.values()]},
        index=[formats.plain(name) for name in values],
    )
