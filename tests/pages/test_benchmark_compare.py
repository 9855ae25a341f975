"""Benchmark results: two tests side by side, the trend, and the pinned baseline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.recorded import load_tests


@pytest.fixture
def store(local_workspace):
    return local_workspace.store


def texts(page) -> str:
    shown = [*page.caption, *page.markdown, *page.warning, *page.error, *page.info]
    return "\n".join(each.value for each in shown)


def deltas(page):
    return next(each.value for each in page.dataframe if "Change" in each.value.columns)


def later(hours: int):
    return load_tests.STARTED + timedelta(hours=hours)


def test_a_slower_test_shows_the_change_of_each_percentile(open_page, store):
    load_tests.finished(store, median_ms=10.0)
    load_tests.finished(store, median_ms=15.0, at=later(1))

    page = open_page("benchmark_results", benchmark_view="Compare")
    table = deltas(page).set_index("Figure")

    assert not page.exception
    assert dict(table["Change"])["p95"] == "+50.0 %"
    assert dict(table["Change"])["Requests/s"] == "-33.3 %"
    assert len(page.get("plotly_chart")) == 3  # two of the open result, the overlay


def test_another_payload_is_refused_with_a_sentence(open_page, store):
    load_tests.finished(store, payload='{"data": [{"age": 1}]}')
    load_tests.finished(store, at=later(1))

    page = open_page("benchmark_results", benchmark_view="Compare")

    assert "These two sent different payloads" in texts(page)
    assert not any("Change" in each.value.columns for each in page.dataframe)


def test_one_test_alone_says_what_is_needed(open_page, store):
    load_tests.finished(store)

    page = open_page("benchmark_results", benchmark_view="Compare")

    assert not page.exception
    assert "Two load tests" in texts(page)


def test_a_pinned_baseline_is_the_first_choice_for_later_tests(open_page, store, local_workspace):
    first = load_tests.finished(store, median_ms=10.0)
    load_tests.finished(store, median_ms=20.0, at=later(1))
    load_tests.finished(store, median_ms=30.0, at=later(2))
    page = open_page("benchmark_results", benchmark_view="Compare", baseline=first)
    page.button(key="benchmark.pin").click().run()
    assert local_workspace.load_test_rules.get("bank").baseline_id == first

    page = open_page("benchmark_results", benchmark_view="Compare")

    assert dict(deltas(page).set_index("Figure")["Change"])["p95"] == "+200.0 %"
    page.button(key="benchmark.unpin").click().run()
    assert not page.exception
    assert local_workspace.load_test_rules.get("bank").baseline_id is None


def test_a_baseline_that_is_gone_is_not_asked_for(open_page, store):
    load_tests.finished(store)
    load_tests.finished(store, at=later(1))

    page = open_page("benchmark_results", benchmark_view="Compare", baseline="gone")

    assert not page.exception
    assert len(deltas(page)) == 7


def test_the_trend_has_a_point_for_every_test(open_page, store):
    for hour in range(3):
        load_tests.finished(store, at=later(hour))
    load_tests.finished(store, requests=20, at=later(3))

    page = open_page("benchmark_results", benchmark_view="Trend")

    assert not page.exception
    assert "4 load tests; 1 with too few requests to tell p95" in texts(page)
    assert len(page.get("plotly_chart")) == 3
