"""Deployments, and asking them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.domain import (
    DataContract,
    Deployment,
    KeyKind,
    Keys,
    LogTail,
    ScoringAnswer,
    Transition,
)


class Deployments(ABC):
    """Models being served. Azure ML calls each one a web service."""

    @abstractmethod
    def list(self) -> tuple[Deployment, ...]:
        """Every deployment, newest first."""

    @abstractmethod
    def get(self, name: str) -> Deployment:
        """The deployment as it is at this moment.

        Raises:
            NotFoundError: nothing is deployed under `name`.
        """

    @abstractmethod
    def begin_create(
        self,
        name: str,
        model_id: str,
        *,
        auth: bool = True,
        telemetry: bool = False,
        cpu_cores: float = 1.0,
        memory_gb: float = 1.0,
        description: str = "",
    ) -> Deployment:
        """Start serving a registered model; returns before the server answers.

        Call `get` until ``state.settled``. A server that never comes up ends
        as ``FAILED``, with the reason in `logs`.

        Raises:
            ConflictError: `name` is taken, whatever state it is in.
            InvalidRequestError: Azure ML would not accept `name`.
            NotFoundError: `model_id` is not registered.
        """

    @abstractmethod
    def begin_update(
        self, name: str, *, model_id: str | None = None, telemetry: bool | None = None
    ) -> Deployment:
        """Serve another model version, or turn Application Insights on or off.

        Passes through Transitioning; None leaves a setting as it is.

        Raises:
            NotFoundError: no such deployment, or the model is not registered.
            ConflictError: an earlier update has not settled.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Stop serving. Deleting what is already gone succeeds."""

    @abstractmethod
    def transitions(self, name: str | None = None) -> tuple[Transition, ...]:
        """Past and present passages through Transitioning, newest first, of one or of all."""

    @abstractmethod
    def keys(self, name: str) -> Keys:
        """Both keys. Fetched when shown, never remembered.

        Raises:
            NotFoundError: no such deployment.
            InvalidRequestError: it accepts anonymous calls and has no keys.
        """

    @abstractmethod
    def keys_replaced_at(self, name: str) -> Mapping[KeyKind, datetime]:
        """Since when each key has been in use, as far as that is known. Asks for no key.

        Empty for one that has no keys, or does not exist.
        """

    @abstractmethod
    def begin_regenerate_key(self, name: str, kind: KeyKind) -> None:
        """Replace one key; the other keeps working. Done when `keys` shows a new one.

        Raises:
            NotFoundError, InvalidRequestError: as `keys`.
        """

    @abstractmethod
    def logs(self, name: str, *, line_limit: int = 5000) -> LogTail:
        """The end of the server's log, oldest line first.

        Raises:
            NotFoundError: no such deployment.
        """

    @abstractmethod
    def swagger(self, name: str) -> Mapping[str, Any]:
        """The OpenAPI document the deployment serves about itself, fetched from here.

        Raises:
            NotFoundError: no such deployment, or it has no document (a scoring script
                without an input and output schema).
            UnavailableError: it has no address yet, or does not answer.
        """


class Scoring(ABC):
    """Asking a deployment for predictions, with its key, without showing it to anybody."""

    @abstractmethod
    def score(self, deployment: str, payload: str, *, timeout_s: float = 60.0) -> ScoringAnswer:
        """Post a JSON body; failures of the deployment are in the answer, not raised.

        Raises:
            NotFoundError: no such deployment.
            UnavailableError: it has no scoring URI yet.
        """

    @abstractmethod
    def contract(self, deployment: str) -> DataContract:
        """What a row for this deployment must look like.

        Raises:
            NotFoundError: no such deployment, or nothing is known about its input.
        """
