"""Benchmark results: thresholds with their verdict, and guard rails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.load_test_rules import Thresholds
from services.local.deployments import LocalDeployments
from tests.recorded import load_tests
from tests.stub_deployment import deploy


@pytest.fixture
def store(local_workspace):
    return local_workspace.store


def saved(page, key: str):
    return page.button(key=key).click().run()


def test_thresholds_are_saved_and_judge_the_open_test_the_table_and_the_trend(
    open_page, home, store, local_workspace
):
    deploy(home, store, None)
    load_tests.finished(store, median_ms=12.0)
    page = open_page("benchmark_results", benchmark_view="Rules")
    page.number_input(key="benchmark.p95_ms.bank").set_value(1.0)
    saved(page, "benchmark.save_thresholds")
    assert not page.exception
    assert local_workspace.load_test_rules.get("bank").thresholds == Thresholds(p95_ms=1.0)

    page = open_page("benchmark_results")

    assert any(each.value.startswith("FAIL: p95 is ") for each in page.error)
    table = next(each.value for each in page.dataframe if "Verdict" in each.value.columns)
    assert list(table["Verdict"]) == ["FAIL"]
    assert not open_page("benchmark_results", benchmark_view="Trend").exception


def test_a_test_within_its_thresholds_reads_pass(open_page, store, local_workspace):
    load_tests.finished(store)
    local_workspace.load_test_rules.set_thresholds("bank", Thresholds(p95_ms=5_000))

    page = open_page("benchmark_results")

    table = next(each.value for each in page.dataframe if "Verdict" in each.value.columns)
    assert list(table["Verdict"]) == ["PASS"]
    assert not page.error


def test_guard_rails_are_saved(open_page, home, store, local_workspace):
    deploy(home, store, None)
    page = open_page("benchmark_results", benchmark_view="Rules")
    page.number_input(key="benchmark.budget.bank").set_value(500)
    page.toggle(key="benchmark.stops.bank").set_value(False)

    saved(page, "benchmark.save_guard_rails")

    assert not page.exception
    kept = local_workspace.load_test_rules.get("bank").guard_rails
    assert (kept.request_budget, kept.stop_at_failure_pct) == (500, None)


def test_requests_leave_this_machine_only_after_the_name_was_typed(
    open_page, home, store, local_workspace, monkeypatch
):
    deploy(home, store, 5001)
    real = LocalDeployments.get
    away = "http://bank.westeurope.azurecontainer.io/score"

    def elsewhere(self, name):
        return replace(real(self, name), scoring_uri=away)

    monkeypatch.setattr(LocalDeployments, "get", elsewhere)
    monkeypatch.setattr(LocalDeployments, "list", lambda self: (elsewhere(self, "bank"),))
    page = open_page("benchmark_results")
    page.button(key="benchmark.run").click().run()
    assert page.button(key="benchmark.run.yes").disabled
    assert local_workspace.load_tests.list() == ()

    page.text_input(key="benchmark.run.typed").set_value("bank").run()
    page.button(key="benchmark.run.yes").click().run()

    assert not page.exception
    assert [each.deployment for each in local_workspace.load_tests.list()] == ["bank"]
