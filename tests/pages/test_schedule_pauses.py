"""Pausing schedules for a maintenance and retrying failed runs, as the operator does it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.domain import AssetStatus, Frequency, Recurrence, RunStatus
from services.local.clock import utc_now
from services.local.pipeline_duty import PipelineDuty
from tests.pages.test_pipeline_schedules import PAGE, button, frame, texts
from tests.recorded import pipelines as recorded

FAR = Recurrence(frequency=Frequency.DAY, start_time=datetime(2090, 1, 1))


@pytest.fixture
def history(local_workspace):
    return recorded.retraining(
        local_workspace.home, local_workspace.store, days=3, failed=(2,), now=utc_now()
    )


@pytest.fixture
def five(local_workspace, history) -> list[str]:
    others = [
        local_workspace.schedules.create(
            f"weekly {n}", FAR, pipeline_id=history.pipeline_id, experiment="people"
        ).id
        for n in range(4)
    ]
    return [history.schedule_id, *others]


def active(workspace) -> set[str]:
    return {each.id for each in workspace.schedules.list() if each.status is AssetStatus.ACTIVE}


def test_three_of_five_are_paused_with_a_reason_and_resumed_at_the_end(
    open_page, local_workspace, five
):
    page = open_page(PAGE)
    page.button(key="schedules.pause").click().run()
    page.multiselect[0].set_value(five[:3]).run()
    assert page.button(key="schedules-pause.save").disabled  # others will wonder why
    next(each for each in page.text_input if each.label == "Reason").set_value("a *move*").run()
    page.button(key="schedules-pause.save").click().run()

    assert not page.exception
    assert active(local_workspace) == set(five[3:])
    assert "**3 schedules are paused**" in texts(page)
    assert "a \\*move\\*" in texts(page)
    end = local_workspace.schedules.get(five[0]).pause.until
    assert timedelta(hours=3) < end - utc_now() <= timedelta(hours=4)

    duty = PipelineDuty(local_workspace.home, local_workspace.store)
    duty.tick(end - timedelta(seconds=1))
    assert active(local_workspace) == set(five[3:])
    duty.tick(end)
    assert active(local_workspace) == set(five)
    assert "paused" not in texts(open_page(PAGE))


def test_resumed_early_by_a_click(open_page, local_workspace, five):
    local_workspace.schedules.pause(five[:2], reason="x", until=utc_now() + timedelta(hours=1))

    page = open_page(PAGE)
    button(page, "Resume now").click().run()

    assert not page.exception
    assert active(local_workspace) == set(five)


def test_a_paused_schedule_says_why(open_page, local_workspace, history):
    local_workspace.schedules.pause(
        [history.schedule_id], reason="the lake is moved", until=utc_now() + timedelta(hours=1)
    )

    page = open_page(PAGE, schedule=history.schedule_id)

    assert texts(page).count("the lake is moved") == 2  # above the list, and on its own


def test_a_failed_run_is_retried_from_where_it_is_read(open_page, local_workspace, history):
    failed = history.run_ids[-1]
    page = open_page(PAGE, view="Runs", run=failed)
    page.number_input(key="pipeline-run.attempts").set_value(2).run()
    page.button(key="pipeline-run.retry").click().run()

    assert not page.exception
    (attempt,) = [each for each in local_workspace.pipelines.runs() if each.retry_of == failed]
    assert attempt.status is RunStatus.QUEUED
    assert attempt.parameters == local_workspace.pipelines.run(failed).parameters
    assert frame(page, "Started by")["Started by"][0] == "retry of schedule Nightly retraining"


def test_a_completed_run_offers_no_retry(open_page, history):
    page = open_page(PAGE, view="Runs", run=history.run_ids[0])

    assert not [each for each in page.button if each.key == "pipeline-run.retry"]
