"""Scoring through a web service: its credential is fetched here, used once and forgotten."""

from __future__ import annotations

import logging

from services import scoring
from services.azure import swagger_contract
from services.azure.connection import Connection
from services.azure.deployments import AzureDeployments
from services.domain import DataContract, Deployment, ScoringAnswer
from services.errors import InvalidRequestError, NotFoundError, ServiceError, UnavailableError
from services.ports import Scoring

log = logging.getLogger(__name__)


class AzureScoring(Scoring):
    """What a row looks like is told by the model's contract, else by the API description."""

    def __init__(self, connection: Connection, deployments: AzureDeployments) -> None:
        self._connection, self._deployments = connection, deployments

    def score(self, deployment: str, payload: str, *, timeout_s: float = 60.0) -> ScoringAnswer:
        target = self._deployments.get(deployment)
        if target.scoring_uri is None:
            raise UnavailableError(f"“{deployment}” has no scoring URI yet; it is {target.state}.")
        credential = self._deployments.credential(target)
        classes = self._classes(target, payload)
        return scoring.send(
            target.scoring_uri, payload, key=credential, timeout_s=timeout_s, classes=classes
        )

    def contract(self, deployment: str) -> DataContract:
        return self._contract(self._deployments.get(deployment))

    def _contract(self, target: Deployment) -> DataContract:
        from services.azure.models import AzureModels

        try:
            return AzureModels(self._connection).contract(target.model_id)
        except (NotFoundError, InvalidRequestError):  # registered without one, or made elsewhere
            described = swagger_contract.read(self._described(target))
        if described is None:
            raise NotFoundError("data contract for the deployment", target.name)
        return described

    def _described(self, target: Deployment) -> dict[str, object]:
        try:
            return dict(self._deployments.swagger(target.name))
        except NotFoundError:
            return {}

    def _classes(self, target: Deployment, payload: str) -> tuple[str, ...]:
        """Their names, where the answer will need them: reading them costs requests."""
        if "predict_proba" not in payload:
            return ()
        classes: tuple[str, ...] = ()
        try:
            classes = self._contract(target).classes
        except ServiceError as error:  # its probabilities stay numbers; it scores all the same
            log.info("the classes of %s are not known: %s", target.name, error)
        return classes
