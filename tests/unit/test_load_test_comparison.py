"""Two load tests: what changed, and when they must not be compared."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services import load_test_comparison as comparison
from services.local.load_tests import LocalLoadTests
from services.local.store import Store
from tests.recorded import load_tests


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def test_of(tmp_path: Path, store: Store):
    def test_of(**changes):
        return LocalLoadTests(tmp_path, store).get(load_tests.finished(store, **changes))

    return test_of


def test_a_slower_test_shows_its_share_on_each_percentile(test_of):
    deltas = comparison.deltas(test_of(median_ms=10.0), test_of(median_ms=15.0))

    assert [each.rank for each in deltas] == [50, 75, 90, 95, 99, 100]
    assert [each.change for each in deltas] == [pytest.approx(0.5)] * 6


def test_percentiles_a_sample_does_not_support_are_not_compared(test_of):
    deltas = {each.rank: each for each in comparison.deltas(test_of(), test_of(requests=100))}

    assert deltas[95].change is not None
    assert deltas[99].before_ms is not None
    assert deltas[99].after_ms is None
    assert deltas[99].change is None


def test_another_payload_is_refused_with_a_sentence(test_of):
    why = comparison.refusal(test_of(), test_of(payload='{"data": [{"age": 39}]}'))

    assert why.startswith("These two sent different payloads")


def test_the_same_payload_is_compared(test_of):
    assert comparison.refusal(test_of(), test_of()) == ""


def test_a_test_is_not_compared_with_itself(test_of):
    test = test_of()
    assert "same load test" in comparison.refusal(test, test)


def test_a_test_that_measured_nothing_is_refused(test_of, tmp_path, store):
    broken = LocalLoadTests(tmp_path, store).get(load_tests.failed(store))
    assert "measured nothing" in comparison.refusal(test_of(), broken)


def test_what_else_was_different_is_named(test_of):
    found = comparison.differences(test_of(), test_of(concurrency=8, model_id="bank:2"))

    assert found == ("model: bank:1 → bank:2", "at a time: 4 → 8")


def test_the_trend_has_one_point_per_measured_test_oldest_first(test_of, tmp_path, store):
    newer = test_of(at=load_tests.STARTED + timedelta(hours=1))
    older = test_of()
    test_of(deployment="other")
    load_tests.failed(store)

    found = comparison.trend(LocalLoadTests(tmp_path, store).list(), "bank")

    assert [each.id for each in found] == [older.id, newer.id]


def test_a_test_is_held_against_the_pinned_one_first(test_of):
    first, second, third = (
        test_of(at=load_tests.STARTED + timedelta(hours=hour)) for hour in range(3)
    )
    newest_first = (third, second, first)

    assert comparison.against(newest_first, third, pinned=first.id) is first
    assert comparison.against(newest_first, third, pinned=None) is second
