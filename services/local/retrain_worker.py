"""Judges or deploys one retrained model: ``… services.local.retrain_worker HOME RUN_ID``."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from services import retraining_steps
from services.domain import ScoringAnswer
from services.errors import InvalidRequestError, ServiceError
from services.local import full_disk, lifeline
from services.local.clock import utc_now
from services.local.workspace import LocalWorkspace, open_workspace
from services.retraining_policy import DecisionState, Golden
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
    return full_disk.working(lambda: _work(Path(arguments[0]), arguments[1]))


def _work(home: Path, run_id: str) -> int:
    workspace = open_workspace(home)
    decision = workspace.retraining.decision(run_id)
    try:
        if decision.state is DecisionState.DECIDING:
            retraining_steps.decide(
                workspace, workspace.retraining, decision, partial(_asked, workspace)
            )
        elif decision.state is DecisionState.APPROVED:
            deploy(workspace, run_id)
    except ServiceError as error:
        log.error("%s", error)
        workspace.retraining.end(run_id, DecisionState.FAILED, error=str(error))
        return 1
    return 0


def deploy(workspace: LocalWorkspace, run_id: str) -> None:
    """Serve the model, and stay until it does or cannot."""
    kept = workspace.retraining
    while (decision := kept.decision(run_id)).state is DecisionState.APPROVED:
        if retraining_steps.deploy(workspace, kept, decision) is not None:
            kept.end(run_id, DecisionState.DEPLOYED)
        else:
            time.sleep(LOOK_EVERY_S)


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
