"""The steps of the closed loop, through the ports of any workspace: judge, register, deploy.

Each may be taken again by another process when the one that took it was killed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from services.access import acting_as
from services.domain import (
    Deployment,
    DeploymentState,
    Model,
    PipelineRun,
    RunStatus,
    Transition,
)
from services.errors import InvalidRequestError, NotFoundError
from services.ports import Workspace
from services.retraining_policy import (
    Candidate,
    Check,
    Decision,
    DecisionState,
    Golden,
    Judgement,
    judge,
)

log = logging.getLogger(__name__)

MADE_BY = "pipeline_run_id"  # the tag of a model that was registered here
Ask = Callable[[str, str], Golden | None]  # deployment, and the run that left the model


class Kept(Protocol):
    """Where decisions are kept. A step that was taken by somebody else meanwhile is no error."""

    def decided(
        self, run_id: str, judgement: Judgement, golden: Golden | None, model_id: str | None
    ) -> None:
        """Judged: it waits, or is rejected."""

    def handing_over(self, run_id: str, replaces: str) -> Decision:
        """Its deployment is asked for now, in place of another model."""

    def end(
        self,
        run_id: str,
        state: DecisionState,
        *,
        error: str = "",
        golden: tuple[Golden, Check] | None = None,
    ) -> None:
        """Of one that was being judged or deployed.

        Args:
            golden: what was said after it was deployed, in place of what stood there.
        """


def decide(
    workspace: Workspace,
    kept: Kept,
    decision: Decision,
    ask: Ask,
    *,
    not_asked: str = "",
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Judge it; what passes is registered and waits.

    Args:
        ask: the golden set of the candidate; None where it cannot be asked yet.
        not_asked: why it cannot.
        metrics: of the run, where they have been read already.

    Raises:
        ServiceError: it could not be judged.
    """
    run = workspace.pipelines.run(decision.run_id)
    source = model_run(workspace, run)
    golden = None
    if source is not None and decision.policy.golden:
        golden = ask(decision.policy.deployment, source)
    if metrics is None:
        metrics = workspace.runs.metrics([source]).get(source, {}) if source else {}
    candidate = Candidate(
        run_id=run.id,
        status=run.status,
        error=run.error,
        metrics=metrics,
        golden=golden,
        not_asked=not_asked,
    )
    judgement = judge(decision.policy, candidate, workspace.bands.list(run.experiment))
    model_id = run.model_id
    if judgement.accepted and model_id is None:
        model_id = _registered(workspace, decision, run, source)
    kept.decided(run.id, judgement, golden, model_id)
    log.info("run %s: %s", run.id, judgement.why)


def deploy(
    workspace: Workspace, kept: Kept, decision: Decision, *, interrupted: bool = False
) -> Deployment | None:
    """One look at the deployment, which is asked for first if it was not.

    Args:
        interrupted: whoever asked for it may have ended before it was handed over; then it is
            asked for once more, should nothing have come of it.

    Returns:
        It, once it serves the model; None while it is under way, or when that has failed.

    Raises:
        ConflictError: something else is being done to it.
        ServiceError: it cannot be asked for.
    """
    found = _found(workspace, decision)
    once_more = interrupted and _came_to_nothing(workspace, decision, found)
    if once_more or not _asked_for(workspace, decision, found):
        replaces = found.model_id if found else ""
        decision = kept.handing_over(decision.run_id, replaces)
        with acting_as(decision.answered_by):
            _ask_for(workspace, decision, found)
        return None
    name, wanted = decision.policy.deployment, decision.model_id
    if found is None:
        error = f"The deployment {name} was deleted before it was ready."
    elif not found.state.settled:
        return None
    elif found.model_id != wanted:  # taken back
        error = found.error or f"The deployment {name} went on with {found.model_id}."
    elif found.state is DeploymentState.HEALTHY:
        log.info("%s is %s with %s", name, found.state, wanted)
        return found
    else:
        error = f"The deployment {name} is {found.state}. {found.error or 'Its log says why.'}"
    log.info("%s: %s", name, error)
    kept.end(decision.run_id, DecisionState.FAILED, error=error)
    return None


def model_run(workspace: Workspace, run: PipelineRun) -> str | None:
    """The run that left the model: the best child of the training."""
    if run.status is not RunStatus.COMPLETED or run.training_run_id is None:
        return None
    return workspace.runs.get(run.training_run_id).best_child_id or run.training_run_id


def model_of(models: Sequence[Model], *made_by: str | None) -> Model | None:
    """The model one of these runs made, among all that are registered, the newest first.

    A pipeline's own register step is recognised where it named a run.
    """
    runs = {*made_by} - {None}
    return next(
        (each for each in models if each.run_id in runs or each.tags.get(MADE_BY) in runs), None
    )


def _registered(
    workspace: Workspace, decision: Decision, run: PipelineRun, source: str | None
) -> str:
    """Once, though whoever did it may have been killed after it was done."""
    known = model_of(workspace.models.list(), run.id, run.training_run_id, source)
    if known is not None:
        return known.id
    if run.training_run_id is None:
        raise InvalidRequestError(
            "The run completed without an AutoML run of its own, so it left no model to register."
        )
    return workspace.models.register(
        run.training_run_id,
        decision.policy.model_name,
        description="Passed the policy of its retraining pipeline",
        tags={MADE_BY: run.id},
    ).id


def _found(workspace: Workspace, decision: Decision) -> Deployment | None:
    try:
        return workspace.deployments.get(decision.policy.deployment)
    except NotFoundError:
        return None


def _asked_for(workspace: Workspace, decision: Decision, found: Deployment | None) -> bool:
    """Whether the model serves, or was asked to since it was approved."""
    if found is not None and found.model_id == decision.model_id:
        return True
    return bool(_since(workspace, decision))


def _came_to_nothing(workspace: Workspace, decision: Decision, found: Deployment | None) -> bool:
    """Whether all that was tried since has failed, and nobody has decided otherwise."""
    if found is None or not found.state.settled or found.model_id == decision.model_id:
        return False
    return all(each.outcome is DeploymentState.FAILED for each in _since(workspace, decision))


def _since(workspace: Workspace, decision: Decision) -> list[Transition]:
    """What became of the deployment since it was asked for."""
    if decision.handed_at is None:
        return []
    transitions = workspace.deployments.transitions(decision.policy.deployment)
    return [each for each in transitions if each.started_at >= decision.handed_at]


def _ask_for(workspace: Workspace, decision: Decision, found: Deployment | None) -> None:
    assert decision.model_id is not None  # nothing waits without one
    name = decision.policy.deployment
    if found is None:
        workspace.deployments.begin_create(name, decision.model_id, telemetry=True)
    else:
        workspace.deployments.begin_update(name, model_id=decision.model_id)
