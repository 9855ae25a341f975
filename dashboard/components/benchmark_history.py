"""Every load test that was kept, newest first; each one click from its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import pandas as pd
import streamlit as st

from dashboard.components import benchmark_form, state_badge
from services import load_test_findings as findings
from services import load_test_verdict
from services.domain import LoadTest, LoadTestState
from services.load_test_rules import LoadTestRule

KEY = "benchmark.open"
HASH_SHOWN = 8


def show(tests: Sequence[LoadTest], *, rules: Mapping[str, LoadTestRule], zone: tzinfo) -> None:
    """Draw the table; opening a test puts it into the address. `tests` is not empty."""

    def opened(ids: tuple[str, ...]) -> None:
        benchmark_form.open_test(ids[st.session_state[KEY]["row"]])

    st.dataframe(
        _frame(tests, rules),
        hide_index=True,
        height=min(420, 38 + 35 * len(tests)),
        column_config={
            "Load test": st.column_config.ButtonColumn(
                "Load test", type="tertiary", alignment="left", key=KEY, pinned=True,
                on_click=opened, args=(tuple(test.id for test in tests),), width=290,
            ),
            "State": state_badge.column("State", LoadTestState, width=120),
            "Verdict": st.column_config.TextColumn(
                width=90, help="Against the thresholds of its deployment, under Rules"
            ),
            "Started": st.column_config.DatetimeColumn(
                "Started", format="D MMM, HH:mm:ss", timezone=str(zone),
                help=f"In your time zone, {zone}",
            ),
            "Requests": st.column_config.NumberColumn(format="localized"),
            "Req/s": st.column_config.NumberColumn(format="%.1f", help="Requests per second"),
            "p50": st.column_config.NumberColumn("p50 (ms)", format="%.1f"),
            "p95": st.column_config.NumberColumn(
                "p95 (ms)", format="%.1f", help="Left out where there are fewer than 59 requests"
            ),
            "p99": st.column_config.NumberColumn(
                "p99 (ms)", format="%.1f", help="Left out where there are fewer than 299 requests"
            ),
            "Slowest": st.column_config.NumberColumn("Slowest (ms)", format="%.1f"),
            "Failed": st.column_config.NumberColumn(format="localized"),
            "Payload": st.column_config.TextColumn(help="The start of the payload's SHA-256"),
        },
        placeholder="–",
        key="benchmark.history",
        alt="Load tests with state, start, requests per second, percentiles and failures",
    )  # fmt: skip


def _frame(tests: Sequence[LoadTest], rules: Mapping[str, LoadTestRule]) -> pd.DataFrame:
    reports = [test.report for test in tests]

    def ranks(rank: int) -> pd.Series[float]:
        values = [
            None
            if report is None or findings.unsupported(rank, report)
            else report.percentiles_ms.get(rank)
            for report in reports
        ]
        return pd.Series(values, dtype="float64")

    def figures(name: str) -> pd.Series[float]:
        values = [None if report is None else getattr(report, name) for report in reports]
        return pd.Series(values, dtype="float64")

    return pd.DataFrame(
        {
            "Load test": [test.name for test in tests],
            "State": [[test.state.value] for test in tests],
            "Verdict": [_verdict(test, rules) for test in tests],
            "Started": pd.Series(
                [test.started_at or test.created_at for test in tests],
                dtype="datetime64[us, UTC]",
            ),
            "Model": [test.model_id for test in tests],
            "Requests": [test.done_count for test in tests],
            "Req/s": figures("requests_per_s"),
            "p50": ranks(50),
            "p95": ranks(95),
            "p99": ranks(99),
            "Slowest": figures("max_ms"),
            "Failed": [findings.failure_count(test) if test.report else None for test in tests],
            "Payload": [(test.payload_sha256 or "")[:HASH_SHOWN] or None for test in tests],
        }
    )


def _verdict(test: LoadTest, rules: Mapping[str, LoadTestRule]) -> str | None:
    rule = rules.get(test.deployment or "")
    verdict = load_test_verdict.judge(test, rule.thresholds) if rule else None
    return verdict.outcome.value if verdict else None
