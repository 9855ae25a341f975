"""The lineage strip on the model's view and on the overview."""

from __future__ import annotations

import pytest

from services.errors import UnavailableError
from tests.recorded import overview


@pytest.fixture
def filled(local_workspace):
    overview.filled(local_workspace)
    return local_workspace


def strip(page):
    return [
        each
        for each in page.main.get("page_link")
        if each.proto.label.replace("\\", "") == "**bank-marketing:1**"
    ]


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


@pytest.mark.parametrize("page", ["overview", "models"])
def test_the_chain_leads_to_every_page(open_page, filled, page):
    opened = open_page(page)

    assert not opened.exception
    leads = {each.proto.page for each in opened.main.get("page_link")}
    assert leads >= {
        "dataset", "training_runs", "models", "deployment_health", "benchmark_results",
        "pipeline_schedules",
    }  # fmt: skip
    assert len(strip(opened)) == 1


def test_two_newer_models_make_the_service_behind_by_two(open_page, filled):
    run_id = filled.models.list()[0].run_id
    for _ in range(2):
        filled.models.register(run_id, "bank-marketing")

    opened = open_page("models", model="bank-marketing:1")

    assert texts(opened).count("behind by 2") == 2  # the model itself, and what serves it


def test_a_run_that_is_gone_is_broken_not_blank(open_page, filled):
    with filled.store.transaction() as db:
        db.execute("UPDATE models SET run_id = 'AutoML_gone_1'")

    assert "link_off: run is gone" in texts(open_page("models"))
    assert "link_off: run is gone" in texts(open_page("overview"))


def test_an_outage_of_one_part_leaves_the_overview_standing(open_page, filled, monkeypatch):
    def outage(name):
        raise UnavailableError("The datasets did not answer.")

    monkeypatch.setattr(filled.datasets, "versions", outage)

    opened = open_page("overview")

    assert not opened.exception
    assert any("did not answer" in each.value for each in opened.warning)
