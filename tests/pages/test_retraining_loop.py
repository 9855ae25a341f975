"""Approval before deploying, as the operator sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.alerts.records import Band
from services.domain import RunStatus
from services.local.clock import utc_now
from services.local.pipeline_journal import PipelineJournal
from services.retraining_policy import (
    Candidate,
    Check,
    DecisionState,
    Judgement,
    Mark,
    Policy,
    judge,
)
from tests.pages.test_pipeline_schedules import PAGE, button, frame, texts
from tests.recorded import pipelines as recorded

BAND = Band(experiment="bank-retraining", metric="AUC_weighted", fail_below=0.946, warn_below=0.947)


@pytest.fixture
def history(local_workspace):
    """Thirty daily retrains, two failed, their metric swaying across its band."""
    local_workspace.bands.save(BAND)
    return recorded.retraining(local_workspace.home, local_workspace.store, now=utc_now())


@pytest.fixture
def policy(history) -> Policy:
    return Policy(pipeline_id=history.pipeline_id, deployment="bank", model_name="bank-marketing")


def waiting(workspace, policy: Policy) -> str:
    """A run that ended under the policy and passed; the rest of the work is a process's."""
    loop = workspace.retraining
    loop.save(policy)
    run = workspace.pipelines.submit(policy.pipeline_id, "bank-retraining")
    journal = PipelineJournal(workspace.home, workspace.store)
    journal.note(run.id, model_id="bank-marketing:31")
    journal.settle(run.id, RunStatus.COMPLETED)
    loop.begin()
    passed = Judgement((Check("Metric range", Mark.PASSED, "Within its *bands*."),))
    loop.decided(run.id, passed, None, "bank-marketing:31")
    return run.id


def test_a_policy_is_saved_and_nothing_is_held_before(open_page, local_workspace, history):
    page = open_page(PAGE, view="Retraining")
    assert not page.exception
    assert "Its runs are not held" in texts(page)
    key = f"retraining-policy-{history.pipeline_id}"

    page.toggle(key=f"{key}.on").set_value(True).run()
    page.text_input(key=f"{key}.deployment").set_value("bank").run()
    page.checkbox(key=f"{key}.golden").set_value(False).run()
    button(page, "Save policy").click().run()

    assert not page.exception
    (kept,) = local_workspace.retraining.policies()
    assert (kept.deployment, kept.model_name, kept.enabled) == ("bank", "bank-marketing", True)
    assert not kept.golden
    assert "approved, it is deployed to bank" in texts(page)


@pytest.mark.parametrize(
    ("label", "state"),
    [("Approve and deploy", DecisionState.APPROVED), ("Reject", DecisionState.DECLINED)],
)
def test_what_waits_is_answered_with_a_note(open_page, local_workspace, policy, label, state):
    run_id = waiting(local_workspace, policy)
    page = open_page(PAGE, view="Retraining")
    assert "Within its \\*bands\\*" in texts(page)

    page.text_input(key=f"retraining-decision-{run_id}.note").set_value("seen").run()
    button(page, label).click().run()

    assert not page.exception
    decision = local_workspace.retraining.decision(run_id)
    assert (decision.state, decision.note) == (state, "seen")
    (row,) = frame(page, "Decision").to_dict("records")
    assert (row["Decision"], row["Note"]) == ([state.value], "seen")


def test_the_past_is_judged_as_the_policy_judges(open_page, local_workspace, history, policy):
    page = open_page(PAGE, view="Retraining")
    page.session_state["retraining.past"] = True
    page.run()

    assert not page.exception
    table = frame(page, "Would be")
    runs = local_workspace.pipelines.runs(pipeline_id=history.pipeline_id)
    expected = []
    for run in runs:
        best = local_workspace.runs.get(run.training_run_id).best_child_id or ""
        metrics = local_workspace.runs.metrics([best]).get(best, {})
        seen = Candidate(run_id=run.id, status=run.status, error=run.error, metrics=metrics)
        judged = judge(replace(policy, enabled=False), seen, [BAND])
        expected.append(["Accepted" if judged.accepted else "Rejected"])
    assert table["Would be"].tolist() == expected
    assert len(expected) == 30
    assert 2 < expected.count(["Rejected"]) < 30


def test_a_viewer_of_azure_sees_no_loop(open_page, local_workspace, history, monkeypatch):
    monkeypatch.setattr(type(local_workspace), "capabilities", frozenset())

    page = open_page(PAGE, view="Retraining")

    assert "Approval before deploying" not in texts(page)
