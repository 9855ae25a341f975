"""What predictions are worth: found in the background where models can be looked at, refused
with a sentence where they cannot."""

from __future__ import annotations

import pytest

from services.domain import Capability, EvaluationPlan, RunStatus, Verdict
from services.errors import InvalidRequestError, NotFoundError
from tests.recorded import evaluations


@pytest.fixture(scope="module")
def models(engine):
    """Two models of the same rows; their ids."""
    evaluations.dataset(engine, evaluations.rows(1))
    return evaluations.model(engine), evaluations.model(engine, noise=0.95)


def test_an_evaluation_nobody_asked_for_is_not_found(workspace):
    with pytest.raises(NotFoundError):
        workspace.evaluations.get("nothing")


def test_a_question_is_answered_in_the_background_or_refused(workspace, models, until):
    champion, challenger = models
    plan = EvaluationPlan(model_id=challenger, against=champion)

    if not workspace.can(Capability.EVALUATION):
        with pytest.raises(InvalidRequestError, match="local workspace only"):
            workspace.evaluations.begin(plan)
        assert workspace.evaluations.list() == ()
        return
    begun = workspace.evaluations.begin(plan)
    until(lambda: workspace.evaluations.get(begun.id).status.settled)

    found = workspace.evaluations.get(begun.id)
    assert found.status is RunStatus.COMPLETED, found.error
    assert found.plan == plan
    assert found.difference.verdict is Verdict.WORSE
    assert found in workspace.evaluations.list()
    assert workspace.evaluations.begin(plan) == found  # the answer stays
