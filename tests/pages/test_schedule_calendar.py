"""The calendar of schedules, as the operator sees it."""

from __future__ import annotations

import json

import pytest

from services.local.clock import utc_now
from tests.pages.test_pipeline_schedules import PAGE, frame
from tests.recorded import pipelines as recorded


def figure(page) -> dict:
    """The first figure of the page."""
    return json.loads(page.get("plotly_chart")[0].proto.spec)


@pytest.fixture
def month(local_workspace):
    """Thirty days of one schedule and five of another, one missed, one late, one failed."""
    home, store = local_workspace.home, local_workspace.store
    recorded.retraining(home, store, name="Short", days=5, failed=(), now=utc_now())
    return recorded.retraining(
        home, store, days=30, failed=(9,), missed=(4,), late=(20,), now=utc_now()
    )


def test_thirty_days_are_thirty_columns_of_every_schedule(open_page, month):
    page = open_page(PAGE)

    assert not page.exception
    drawn = figure(page)
    assert len(drawn["layout"]["xaxis"]["categoryarray"]) == 30
    assert sorted(drawn["layout"]["yaxis"]["ticktext"]) == ["Nightly retraining", "Short"]
    by_name = {trace["name"]: trace for trace in drawn["data"]}
    assert len(by_name["Failed"]["x"]) == 1
    assert len(by_name["Missed"]["x"]) == 1
    assert any("40 min late" in text for text in by_name["Completed"]["hovertext"])


def test_the_ledger_names_the_missed_and_the_late_time(open_page, month):
    page = open_page(PAGE, schedule=month.schedule_id)

    assert page.expander[0].label == "1 time missed, 1 time late"
    assert frame(page, "Outcome")["Outcome"].tolist() == ["late 40 min", "missed"]
