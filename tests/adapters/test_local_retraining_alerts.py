"""A retrained model that nobody decides about is noticed, and the answer ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.alerts.watching import Watch
from services.domain import RunStatus
from services.local.alert_outbox import Outbox
from services.local.clock import utc_now
from services.local.pipeline_journal import PipelineJournal
from services.local.workspace import LocalWorkspace
from services.retraining_policy import Check, Judgement, Mark, Policy
from tests.recorded import overview, pipelines


@pytest.fixture
def workspace(tmp_path) -> LocalWorkspace:
    opened = LocalWorkspace(tmp_path)
    overview.supervised(opened.store)
    return opened


@pytest.fixture
def pipeline_id(workspace) -> str:
    pipeline_id = pipelines.published(workspace.home, workspace.store)
    workspace.retraining.save(
        Policy(pipeline_id=pipeline_id, deployment="bank", model_name="bank-marketing")
    )
    return pipeline_id


def judged(workspace, pipeline_id, mark) -> str:
    """A run that ended under the policy; the rest of the work is a process's."""
    run = workspace.pipelines.submit(pipeline_id, "bank-retraining")
    journal = PipelineJournal(workspace.home, workspace.store)
    journal.settle(run.id, RunStatus.COMPLETED)
    workspace.retraining.begin()
    judgement = Judgement((Check("Golden set", mark, "1 of 2 golden cases is wrong."),))
    workspace.retraining.decided(run.id, judgement, None, "bank-marketing:31")
    return run.id


def told(workspace):
    found = (each for each in workspace.alerts.incidents() if each.rule.startswith("retrain_"))
    return [(each.rule, each.open) for each in found]


def test_a_model_that_waits_is_told_once_and_its_approval_ends_it(workspace, pipeline_id):
    run_id = judged(workspace, pipeline_id, Mark.PASSED)
    watch, later = Watch(workspace, Outbox(workspace.store)), utc_now() + timedelta(hours=5)

    watch.evaluate(now=utc_now())
    assert told(workspace) == []
    for _ in range(2):
        watch.evaluate(now=later)
    assert told(workspace) == [("retrain_waiting", True)]

    workspace.retraining.approve(run_id)
    watch.evaluate(now=later)
    assert told(workspace) == [("retrain_waiting", False)]


def test_a_rejected_model_is_told_until_a_better_one_is_made(workspace, pipeline_id):
    judged(workspace, pipeline_id, Mark.FAILED)
    watch = Watch(workspace, Outbox(workspace.store))
    watch.evaluate(now=utc_now())
    assert told(workspace) == [("retrain_rejected", True)]

    judged(workspace, pipeline_id, Mark.PASSED)
    watch.evaluate(now=utc_now())
    assert told(workspace) == [("retrain_rejected", False)]


def test_turning_the_policy_off_ends_what_it_asked_for(workspace, pipeline_id):
    judged(workspace, pipeline_id, Mark.PASSED)
    watch, later = Watch(workspace, Outbox(workspace.store)), utc_now() + timedelta(hours=5)
    watch.evaluate(now=later)

    (policy,) = workspace.retraining.policies()
    workspace.retraining.save(
        Policy(
            pipeline_id=policy.pipeline_id,
            deployment=policy.deployment,
            model_name=policy.model_name,
            enabled=False,
        )
    )
    watch.evaluate(now=later)

    assert told(workspace) == [("retrain_waiting", False)]
