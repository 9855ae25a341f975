"""Judges or deploys one retrained model: ``… services.local.retrain_worker HOME RUN_ID``."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.domain import DeploymentState, PipelineRun, RunStatus, ScoringAnswer
from services.errors import InvalidRequestError, NotFoundError, ServiceError
from services.local import lifeline
from services.local.clock import utc_now
from services.local.workspace import LocalWorkspace, open_workspace
from services.retraining_policy import Candidate, Decision, DecisionState, Golden, judge
from services.scored import gate
from services.scored import golden as golden_set

if TYPE_CHECKING:
    from services.local.serving.cores import PlainCore
    from services.local.serving.payload import Reader

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5


def main(arguments: Sequence[str]) -> int:
    lifeline.follow()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    workspace, run_id = open_workspace(Path(arguments[0])), arguments[1]
    decision = workspace.retraining.decision(run_id)
    try:
        if decision.state is DecisionState.DECIDING:
            decide(workspace, decision)
        elif decision.state is DecisionState.APPROVED:
            deploy(workspace, decision)
    except ServiceError as error:
        log.error("%s", error)
        workspace.retraining.end(run_id, DecisionState.FAILED, error=str(error))
        return 1
    return 0


def decide(workspace: LocalWorkspace, decision: Decision) -> None:
    """Judge it; what passes is registered and waits."""
    run = workspace.pipelines.run(decision.run_id)
    source = _model_run(workspace, run)
    golden = None
    if source is not None and decision.policy.golden:
        golden = _asked(workspace, decision.policy.deployment, source)
    metrics = workspace.runs.metrics([source]).get(source, {}) if source else {}
    candidate = Candidate(
        run_id=run.id, status=run.status, error=run.error, metrics=metrics, golden=golden
    )
    judgement = judge(decision.policy, candidate, workspace.bands.list(run.experiment))
    model_id = run.model_id
    if judgement.accepted and model_id is None:
        model_id = _registered(workspace, decision, run)
    workspace.retraining.decided(run.id, judgement, golden, model_id)
    log.info("run %s: %s", run.id, judgement.why)


def deploy(workspace: LocalWorkspace, decision: Decision) -> None:
    """Serve the model, and stay until it does or cannot."""
    assert decision.model_id is not None  # nothing waits without one
    name, deployments = decision.policy.deployment, workspace.deployments
    try:
        serving = deployments.get(name).model_id
    except NotFoundError:
        deployments.begin_create(name, decision.model_id, telemetry=True)
    else:
        if serving != decision.model_id:
            deployments.begin_update(name, model_id=decision.model_id)
    while not (found := deployments.get(name)).state.settled:
        time.sleep(LOOK_EVERY_S)
    if found.model_id != decision.model_id:  # taken back
        error = found.error or f"The deployment {name} went on with {found.model_id}."
        workspace.retraining.end(decision.run_id, DecisionState.FAILED, error=error)
    elif found.state is DeploymentState.HEALTHY:
        workspace.retraining.end(decision.run_id, DecisionState.DEPLOYED)
    else:
        error = f"The deployment {name} is {found.state}; its log says why."
        workspace.retraining.end(decision.run_id, DecisionState.FAILED, error=error)
    log.info("%s is %s with %s", name, found.state, decision.model_id)


def _model_run(workspace: LocalWorkspace, run: PipelineRun) -> str | None:
    """The run that left the model: the best child of the training."""
    if run.status is not RunStatus.COMPLETED or run.training_run_id is None:
        return None
    return workspace.runs.get(run.training_run_id).best_child_id or run.training_run_id


def _registered(workspace: LocalWorkspace, decision: Decision, run: PipelineRun) -> str:
    """Once, though the worker may have been killed after it had done so."""
    for model in workspace.models.list():
        if model.tags.get("pipeline_run_id") == run.id:
            return model.id
    assert run.training_run_id is not None  # it completed
    return workspace.models.register(
        run.training_run_id,
        decision.policy.model_name,
        description="Passed the policy of its retraining pipeline",
        tags={"pipeline_run_id": run.id},
    ).id


def _asked(workspace: LocalWorkspace, deployment: str, source: str) -> Golden:
    """The golden set of a deployment, answered by the model that is to replace its own."""
    cases = [each for each in workspace.scored.list(deployment) if each.golden]
    if not cases:
        return Golden(0)
    from services.local.serving.cores import PlainCore
    from services.local.serving.model_folder import read_contract
    from services.local.serving.payload import Reader

    folder = workspace.home / "runs" / source / "outputs"
    contract = read_contract(folder)
    core, reader = PlainCore(folder, contract), Reader(contract)
    verdict = golden_set.ask(cases, lambda payload: _answer(core, reader, payload))
    return Golden(len(verdict.cases), gate.told(verdict))


def _answer(core: PlainCore, reader: Reader, payload: str) -> ScoringAnswer:
    begun, sent_at = time.monotonic(), utc_now()
    results: tuple[object, ...] = ()
    error = ""
    try:
        results = tuple(core.predict(reader.read(payload.encode()).rows))
    except InvalidRequestError as refusal:
        error = str(refusal)
    return ScoringAnswer(
        status=None,
        ok=not error,
        body="",
        results=results,
        probabilities=(),
        error=error,
        attempts=1,
        duration_ms=(time.monotonic() - begun) * 1000,
        run_ms=None,
        request_id=None,
        sent_at=sent_at,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
