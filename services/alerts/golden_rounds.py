"""The golden sets by schedule: every deployment is asked its cases again and again."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from services import scoring
from services.alerts.records import PROBE_PREFIX
from services.domain import Deployment, DeploymentState, ScoringAnswer
from services.errors import ServiceError, UnavailableError
from services.ports import Workspace
from services.scored import gate
from services.scored.gate import Asker, GoldenVerdict
from services.scored.records import ScoredRequest

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
LOOK_EVERY_S = 30.0
TIMEOUT_S = 30.0
TAG_HEADER = "x-ms-client-request-id"
UNHEARD = frozenset({None, 401, 403, 429, 502, 503, 504})  # says nothing about the model


class GoldenRounds:
    """Also soon after another model serves, or a case was changed."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        clock: Callable[[], datetime],
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._workspace, self._clock, self._look_every_s = workspace, clock, look_every_s

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.ask_due()
            except ServiceError as error:
                log.warning("no golden set was asked: %s", error)
            except Exception:
                log.exception("golden sets could not be asked; they are tried again")
            stopping.wait(self._look_every_s)

    def ask_due(self) -> int:
        """Ask every golden set that is due; how many were asked. Without cases nothing is read."""
        asked, sets = 0, golden_sets(self._workspace)
        for deployment in self._workspace.deployments.list() if sets else ():
            cases = sets.get(deployment.name, ())
            if not cases or deployment.state is not DeploymentState.HEALTHY:
                continue
            if not self._due(deployment, cases):
                continue
            try:
                ask(self._workspace, deployment, cases, at=self._clock())
                asked += 1
            except ServiceError as error:  # the others are asked all the same
                log.info("the golden set of %s was not asked: %s", deployment.name, error)
        return asked

    def _due(self, deployment: Deployment, cases: Sequence[ScoredRequest]) -> bool:
        last = standing(self._workspace, deployment, cases)
        age = self._clock() - last.at if last else EVERY
        return age >= EVERY or age < timedelta(0)  # the clock was set back


def ask(
    workspace: Workspace,
    deployment: Deployment,
    cases: Sequence[ScoredRequest],
    *,
    at: datetime,
) -> GoldenVerdict:
    """Ask a deployment its golden set now, and keep the verdict.

    Raises:
        UnavailableError: it has no address, or its answers say nothing about the model.
        ServiceError: its key cannot be had, or the verdict not be kept.
    """
    if deployment.scoring_uri is None:
        raise UnavailableError(f"The deployment {deployment.name} has no address yet.")
    with scoring.ScoringClient(
        deployment.scoring_uri,
        key=workspace.deployments.keys(deployment.name).primary
        if deployment.auth_enabled
        else None,
        timeout_s=TIMEOUT_S,
        headers={TAG_HEADER: f"{PROBE_PREFIX}golden-{uuid.uuid4().hex}"},
    ) as client:

        def send(payload: str) -> ScoringAnswer:
            answer = client.send(payload)
            if answer.status in UNHEARD:
                raise UnavailableError(answer.error)
            return answer

        verdict = gate.judged(
            deployment.name, deployment.model_id, cases, send, by=Asker.ROUND, at=at
        )
    workspace.golden.record(verdict)
    if not verdict.passed:
        log.warning("%s as %s: %s", deployment.model_id, deployment.name, verdict.why)
    return verdict


def golden_sets(workspace: Workspace) -> Mapping[str, Sequence[ScoredRequest]]:
    """Deployment → its golden cases, where it has any."""
    found: dict[str, list[ScoredRequest]] = {}
    for each in workspace.scored.list(limit=1):  # and every named one
        if each.golden:
            found.setdefault(each.deployment, []).append(each)
    return found


def standing(
    workspace: Workspace, deployment: Deployment, cases: Sequence[ScoredRequest]
) -> GoldenVerdict | None:
    """The last verdict about these cases and the model that serves; None: it has to be asked."""
    wanted = gate.fingerprint(cases)
    return next(
        (
            each
            for each in workspace.golden.verdicts(deployment.name)
            if each.model_id == deployment.model_id and each.cases == wanted
        ),
        None,
    )
