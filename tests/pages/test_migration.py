"""Migration: what has ended, where assets go, and the code of every action."""

from __future__ import annotations

from tests.recorded import overview


def test_it_says_what_has_ended_and_since_when(open_page):
    page = open_page("migration")

    assert not page.exception
    text = " ".join(element.value for element in page.main.markdown)
    assert "Azure Machine Learning SDK v1" in text
    assert "30 June 2026" in text


def test_an_empty_workspace_has_nothing_to_move(open_page):
    page = open_page("migration")

    assert not page.dataframe
    assert "nothing to move" in " ".join(element.value for element in page.main.markdown)


def test_each_asset_of_the_workspace_is_listed_with_its_target(open_page, local_workspace):
    overview.filled(local_workspace)

    page = open_page("migration")

    rows = page.dataframe[0].value
    there = {*rows["Name"]}
    assert {each.id for each in local_workspace.models.list()} <= there
    assert {each.name for each in local_workspace.deployments.list()} <= there
    assert {each.name for each in local_workspace.schedules.list()} <= there
    assert all(rows["In SDK v2"])


def test_an_address_opens_the_code_of_an_action(open_page):
    page = open_page("migration", part="Code", action="Schedule a pipeline every 24 hours")

    v1, v2 = (each.value for each in page.main.code)
    assert "ScheduleRecurrence" in v1
    assert "JobSchedule" in v2


def test_what_v2_cannot_do_is_said(open_page):
    page = open_page("migration", part="Code", action="Disable a published pipeline")

    assert len(page.main.code) == 1
    assert "no equivalent" in page.info[0].value
