"""Scoring through a local deployment: the key is fetched here, used once and forgotten."""

from __future__ import annotations

from pathlib import Path

from services import data_contract, scoring
from services.domain import DataContract, Deployment, ScoringAnswer, split_id
from services.errors import NotFoundError, UnavailableError
from services.local.clock import Clock, utc_now
from services.local.deployments import LocalDeployments
from services.local.store import Store
from services.ports import Scoring


class LocalScoring(Scoring):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._deployments = LocalDeployments(home, store, clock=clock)

    def score(self, deployment: str, payload: str, *, timeout_s: float = 60.0) -> ScoringAnswer:
        target = self._deployments.get(deployment)
        if target.scoring_uri is None:
            raise UnavailableError(f"“{deployment}” has no scoring URI yet; it is {target.state}.")
        return scoring.send(
            target.scoring_uri,
            payload,
            key=self._deployments.keys(deployment).primary if target.auth_enabled else None,
            timeout_s=timeout_s,
            classes=self._classes(target),
        )

    def contract(self, deployment: str) -> DataContract:
        return self._contract(self._deployments.get(deployment))

    def _contract(self, target: Deployment) -> DataContract:
        name, version = split_id("model", target.model_id)
        path = self._home / "models" / name / str(version) / "contract.json"
        try:
            return data_contract.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NotFoundError("data contract for the deployment", target.name) from error

    def _classes(self, target: Deployment) -> tuple[str, ...]:
        try:
            return self._contract(target).classes
        except NotFoundError:  # a model made elsewhere: its probabilities stay numbers
            return ()
