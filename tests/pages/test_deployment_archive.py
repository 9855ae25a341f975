"""Deployment health › Log: the archive below it."""

import pytest

from services.domain import LogTail
from tests.recorded import deployments


@pytest.fixture
def bank(local_workspace, home):
    deployments.supervised(local_workspace.store)
    deployments.deployment(home, local_workspace.store)
    for text in ("10:00:01 one\n10:00:02 two\n", "11:00:01 boom\n"):
        tail = LogTail(text=text, line_count=2, limit=5000, complete=False)
        local_workspace.log_archive.keep("bank", tail)


def test_the_archive_is_shown_with_its_gap(open_page, bank):
    page = open_page("deployment_health", deployment="bank", view="Log")

    assert not page.exception
    lines = page.dataframe[-1].value["Line"].tolist()
    assert lines[0] == "11:00:01 boom"
    assert lines[1].startswith("— lines are missing here")
    assert lines[2:] == ["10:00:02 two", "10:00:01 one"]
    assert any("3 lines kept" in each.value and "1 gap" in each.value for each in page.caption)


def test_the_archive_can_be_searched(open_page, bank):
    page = open_page("deployment_health", deployment="bank", view="Log")
    page.text_input(key="health.archive-search").set_value("BOOM").run()

    assert not page.exception
    assert page.dataframe[-1].value["Line"].tolist() == ["11:00:01 boom"]
    assert any("1 line matches" in each.value for each in page.caption)


def test_an_empty_archive_says_when_it_fills(open_page, local_workspace, home):
    deployments.deployment(home, local_workspace.store)

    page = open_page("deployment_health", deployment="bank", view="Log")

    assert not page.exception
    assert any("Nothing is kept yet" in each.value for each in page.caption)
