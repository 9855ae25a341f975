"""Benchmark results: load a deployment with Apache Benchmark, read and keep what it measures."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import reads, session, shell
from dashboard.components import (
    benchmark_actions,
    benchmark_form,
    benchmark_import,
    benchmark_progress,
    benchmark_result,
    benchmark_views,
    empty,
    failures,
    page_header,
)
from services import load_test_verdict
from services.domain import LoadTest


def result(test: LoadTest) -> None:
    """The chosen test, live while it runs."""
    with st.container(border=True, key="benchmark-result", height="stretch"):
        if test.state.settled:
            rule = reads.load_test_rules().get(test.deployment or "")
            verdict = load_test_verdict.judge(test, rule.thresholds) if rule else None
            benchmark_result.show(test, verdict=verdict, now=datetime.now(UTC), zone=shell.zone())
        else:
            benchmark_progress.show(test.id)


def chosen(tests: tuple[LoadTest, ...]) -> LoadTest | None:
    """The test the address asks for, else the newest."""
    if asked := st.query_params.get("load_test"):
        return session.workspace().load_tests.get(asked)
    return tests[0] if tests else None


with page_header.show("Benchmark results", "Load a deployment with Apache Benchmark"):
    st.button(
        "Import a report",
        key="benchmark.import_open",
        icon=":material/upload_file:",
        on_click=benchmark_import.ask,
    )
benchmark_import.show()

with failures.explained():
    deployments = reads.deployments()
    form, view = st.columns([1, 2.4], gap="small")
    with form:
        target = benchmark_form.show(deployments) if deployments else None
        if not deployments:
            empty.show(
                "Nothing is deployed yet, so there is nothing to load.",
                page="models",
                label="Open Models to deploy one",
            )
    tests = reads.load_tests()  # after the form, whose refusal may be about one of them
    test = None
    with view, failures.reported():
        test = chosen(tests)
        if test is None:
            empty.show("No load test yet. Run one, or import a report of ab.")
        else:
            result(test)
    if test is not None and test.state.settled:
        benchmark_actions.show(test)
    if tests or target is not None:
        benchmark_views.show(tests, test, target)
