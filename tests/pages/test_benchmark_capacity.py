"""Benchmark results › Capacity: ask for a search, and read what it found."""

from __future__ import annotations

import shutil

import pytest

from services.capacity import CapacityPlan
from services.domain import LoadTestState
from tests.recorded import load_tests
from tests.stub_deployment import deploy

pytestmark = pytest.mark.skipif(shutil.which("ab") is None, reason="apache2-utils is not installed")


@pytest.fixture
def searches(home, local_workspace):
    deploy(home, local_workspace.store, 5001)
    return local_workspace.capacity


def texts(page) -> str:
    shown = [*page.caption, *page.markdown, *page.warning, *page.error, *page.info]
    return "\n".join(each.value for each in shown)


def test_a_search_is_asked_for_and_can_be_stopped(open_page, searches, local_workspace):
    page = open_page("benchmark_results", benchmark_view="Capacity")
    page.number_input(key="capacity.most.bank").set_value(16)
    page.button(key="capacity.begin").click().run()

    assert not page.exception
    (search,) = searches.list("bank")
    assert search.plan.most == 16
    assert "The first step is under way" in texts(page)

    page.button(key="capacity.stop").click().run()
    with local_workspace.store.reading() as db:
        assert db.execute("SELECT stop_asked_at FROM capacity_searches").fetchone()[0]


def test_a_finished_search_shows_how_many_hold_and_every_step(open_page, searches, local_workspace):
    search = searches.begin(CapacityPlan(deployment="bank", payload="{}"))
    steps = [
        load_tests.finished(local_workspace.store, concurrency=each, median_ms=12.0)
        for each in (1, 2)
    ]
    with local_workspace.store.transaction() as db:
        for step in steps:
            db.execute("UPDATE load_tests SET search_id = ? WHERE id = ?", (search.id, step))
        db.execute(
            "UPDATE capacity_searches SET ended_at = created_at, outcome = ?, reason = ?",
            (LoadTestState.COMPLETED, "Nothing broke up to 2 at a time."),
        )

    page = open_page("benchmark_results", benchmark_view="Capacity")

    assert not page.exception
    assert {each.label: each.value for each in page.metric}["Holds"] == "2 at a time"
    assert "Nothing broke up to 2" in texts(page)
    table = next(each.value for each in page.dataframe if "Reason" in each.value.columns)
    assert list(table["At a time"]) == [1, 2]
