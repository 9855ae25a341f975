"""The KQL of the panels, judged by Microsoft's own parser."""

from datetime import UTC, datetime, timedelta

import pytest

from services.app_insights import kql
from services.app_insights.kql import Variant
from services.domain import Panel, TimeWindow
from services.local.telemetry import tables
from tests.unit import kusto

WINDOW = TimeWindow(
    start=datetime(2026, 11, 22, tzinfo=UTC),
    end=datetime(2026, 11, 23, 0, 0, 5, 120000, tzinfo=UTC),
    bin=timedelta(minutes=5),
)
COMPONENT = "/subscriptions/x/resourceGroups/y/providers/microsoft.insights/components/appi"
AWKWARD = 'iris "svc"\\x\n\t{0}\x07é\u2028'

COUNTS = {"requests": "long", "failed": "long"}
DURATIONS = {"mean_ms": "real", "p50_ms": "real", "p95_ms": "real", "p99_ms": "real"}
LINES = {
    "timestamp": "datetime",
    "service": "string",
    "severity": "int",
    "text": "string",
    "request_id": "string",
    "properties": "string",
}
SENT = {"client_id": "string", "n": "int"}
COLUMNS = {
    Panel.ARRIVALS: {
        "service": "string",
        "requests": "long",
        "rows": "long",
        "last_seen": "datetime",
    },
    Panel.SUMMARY: {**COUNTS, **DURATIONS, "last_seen": "datetime"},
    Panel.LATENCY: {"t": "datetime", "requests": "long", **DURATIONS},
    Panel.REQUESTS: {"t": "datetime", "service": "string", **COUNTS},
    Panel.FAILURES: {"t": "datetime", "code": "string", **COUNTS},
    Panel.RESULT_CODES: {"code": "string", **COUNTS, "p95_ms": "real"},
    Panel.AVAILABILITY_TRAFFIC: {
        "t": "datetime",
        "requests": "long",
        "bad": "long",
        "availability_pct": "real",
    },
    Panel.AVAILABILITY_TESTS: {
        "t": "datetime",
        "runs": "long",
        "good": "long",
        "availability_pct": "real",
    },
    Panel.SLOWEST: {
        "timestamp": "datetime",
        "service": "string",
        "operation": "string",
        "code": "string",
        "ok": "bool",
        "duration_ms": "real",
        "request_id": "string",
        "instance": "string",
    },
    Panel.EXCEPTIONS: {
        "type": "string",
        "problem": "string",
        "exceptions": "long",
        "first_seen": "datetime",
        "last_seen": "datetime",
        "sample": "string",
    },
    Panel.TRACES: LINES,
    Panel.CAPTURED: LINES,
    Panel.DEPLOYMENTS: {"service": "string", **COUNTS, **DURATIONS, "last_seen": "datetime"},
    Panel.OVERVIEW: {
        "part": "string",
        "t": "datetime",
        "service": "string",
        **COUNTS,
        "p50_ms": DURATIONS["p50_ms"],
        "p95_ms": DURATIONS["p95_ms"],
    },
    Panel.SUSPECT_ANSWERS: {
        "timestamp": "datetime",
        "service": "string",
        "request_id": "string",
        "answer": "string",
    },
    Panel.BIN_REQUESTS: {
        "timestamp": "datetime",
        "service": "string",
        "operation": "string",
        "code": "string",
        "ok": "bool",
        "duration_ms": "real",
        "request_id": "string",
        **SENT,
    },
    Panel.BIN_EXCEPTIONS: {
        "timestamp": "datetime",
        "service": "string",
        "type": "string",
        "text": "string",
        "problem": "string",
        "request_id": "string",
        **SENT,
    },
    Panel.BIN_TRACES: {
        "timestamp": "datetime",
        "service": "string",
        "severity": "int",
        "text": "string",
        "request_id": "string",
        **SENT,
    },
}


def test_every_panel_is_valid_kql_and_answers_its_documented_columns():
    asked = [
        (panel, variant, deployment, own_traffic)
        for panel in Panel
        for variant in Variant
        for deployment in (None, "bank", AWKWARD)
        for own_traffic in (True, False)
    ]
    verdicts = kusto.check(
        (
            variant.value,
            kql.text(
                panel,
                WINDOW,
                deployment=deployment,
                variant=variant,
                resource_id=COMPONENT if variant is Variant.WORKSPACE else "",
                own_traffic=own_traffic,
            ),
        )
        for panel, variant, deployment, own_traffic in asked
    )

    wrong = {
        (panel.value, variant.value): verdict
        for (panel, variant, *_), verdict in zip(asked, verdicts, strict=True)
        if verdict.errors or verdict.columns != COLUMNS[panel]
    }
    assert wrong == {}


def test_the_parser_finds_mistakes():
    mistakes = {
        ("classic", "requests | where durationMs > 1"): "KS142",
        ("workspace", "requests | count"): "KS204",
        ("classic", "requests | summarize n = count() by customDimensions"): "KS116",
        ("local", "requests | summarize percentile(duration)"): "KS119",
    }

    verdicts = kusto.check(mistakes)

    assert [verdict.errors[0].split()[0] for verdict in verdicts] == list(mistakes.values())


def test_the_local_tables_have_the_columns_of_the_classic_ones():
    documented = kusto.schemas()["local"]

    for table in tables.TABLES:
        assert set(documented[table]) <= set(tables.columns(table))


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=2), "2d"),
        (timedelta(hours=6), "6h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=1), "1s"),
        (timedelta(milliseconds=1500), "1500ms"),
    ],
)
def test_a_timespan_is_written_in_its_largest_whole_unit(length, text):
    assert kql.timespan(length) == text


def test_every_panel_asks_for_its_window_and_no_more():
    for panel in Panel:
        for variant in Variant:
            text = kql.text(panel, WINDOW, deployment="bank", variant=variant)
            assert ">= datetime(2026-11-22T00:00:00Z)" in text
            assert "< datetime(2026-11-23T00:00:05.120000Z)" in text
