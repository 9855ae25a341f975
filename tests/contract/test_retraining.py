"""What is promised about the closed loop: judged in the background, held, answered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.alerts.records import Band
from services.domain import PipelineKind, RunStatus
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local.clock import utc_now
from services.retraining_policy import Decision, DecisionState, Mark, Policy
from services.retraining_rounds import RetrainingRounds
from tests.recorded import pipelines, runs

EXPERIMENT = "bank-retraining"


@pytest.fixture
def policy(workspace, engine) -> Policy:
    """Of a pipeline of this test's own, saved."""
    policy = Policy(
        pipeline_id=pipelines.published(engine.home, engine.store, at=utc_now()),
        deployment="held-bank",
        model_name="held-bank",
        golden=False,
    )
    workspace.retraining.save(policy)
    yield policy
    workspace.retraining.save(replace(policy, enabled=False))


@pytest.fixture
def retrained(engine, policy) -> Callable[..., str]:
    def retrained(status: RunStatus = RunStatus.COMPLETED, *, error: str = "") -> str:
        """A run that has just ended; its id."""
        training = None
        if status is RunStatus.COMPLETED:
            training = runs.automl(engine.home, engine.store, model=True, started=utc_now())
        return pipelines.ended(
            engine.store, policy.pipeline_id, training, home=engine.home, status=status,
            error=error,
        )  # fmt: skip

    return retrained


@pytest.fixture
def judged(subject, workspace, policy, until) -> Callable[[str], Decision]:
    """The decision about a run, once it is one; whoever watches Azure is played here."""
    rounds = None
    if subject.azure is not None:
        rounds = RetrainingRounds(
            workspace, workspace.retraining, clock=utc_now, ended_every_s=0, follow_every_s=0
        )

    def judged(run_id: str) -> Decision:
        def found() -> Decision | None:
            if rounds is not None:
                rounds.look()
            decisions = workspace.retraining.decisions(policy.pipeline_id)
            mine = (each for each in decisions if each.run_id == run_id)
            return next((each for each in mine if each.state is not DecisionState.DECIDING), None)

        return until(found)

    return judged


def test_what_passes_waits_and_is_answered_once(workspace, policy, retrained, judged):
    run_id = retrained()

    waiting = judged(run_id)

    assert waiting.state is DecisionState.WAITING
    assert waiting.checks[0].mark is Mark.PASSED
    assert workspace.models.get(waiting.model_id).name == "held-bank"
    workspace.retraining.reject(run_id, note="not today")
    (answered,) = workspace.retraining.decisions(policy.pipeline_id)
    assert (answered.state, answered.note) == (DecisionState.DECLINED, "not today")
    assert answered.answered_by
    assert workspace.models.get(waiting.model_id).id == waiting.model_id
    with pytest.raises(ConflictError):
        workspace.retraining.approve(run_id)
    with pytest.raises(NotFoundError):
        workspace.deployments.get("held-bank")


def test_a_metric_out_of_its_band_is_rejected(workspace, policy, retrained, judged):
    workspace.bands.save(Band(experiment=EXPERIMENT, metric="AUC_weighted", fail_below=2.0))

    rejected = judged(retrained())

    workspace.bands.delete(EXPERIMENT, "AUC_weighted")
    assert rejected.state is DecisionState.REJECTED
    assert [each.mark for each in rejected.checks[:2]] == [Mark.PASSED, Mark.FAILED]
    assert rejected.model_id is None


def test_a_failed_run_is_rejected_with_its_reason(policy, retrained, judged):
    rejected = judged(retrained(RunStatus.FAILED, error="boom"))

    assert rejected.state is DecisionState.REJECTED
    assert "boom" in rejected.checks[0].reason


def test_a_policy_is_kept_once_for_each_pipeline(workspace, policy):
    workspace.retraining.save(replace(policy, warn_passes=False))

    kept = {each.pipeline_id: each for each in workspace.retraining.policies()}
    assert kept[policy.pipeline_id] == replace(policy, warn_passes=False)


def test_what_cannot_be_held_is_refused(workspace, engine, policy):
    scores = pipelines.published(
        engine.home, engine.store, kind=PipelineKind.BATCH_INFERENCE, at=utc_now()
    )

    with pytest.raises(InvalidRequestError):
        workspace.retraining.save(replace(policy, pipeline_id=scores))
    with pytest.raises(NotFoundError):
        workspace.retraining.save(replace(policy, pipeline_id="gone"))
    with pytest.raises(InvalidRequestError):
        workspace.retraining.save(replace(policy, deployment="Not A Name"))
    with pytest.raises(NotFoundError):
        workspace.retraining.approve("gone")
