"""Registered models, and what they predict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from services.domain import (
    DataContract,
    Evaluation,
    EvaluationPlan,
    Model,
)


class Models(ABC):
    """Registered models."""

    @abstractmethod
    def list(self) -> tuple[Model, ...]:
        """Every version of every model, newest first."""

    @abstractmethod
    def get(self, model_id: str) -> Model:
        """One version.

        Raises:
            NotFoundError: it is not registered.
            InvalidRequestError: `model_id` is not of the form ``name:version``.
        """

    @abstractmethod
    def register(
        self,
        run_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Register the model a run left behind as the next version of `name`.

        A parent run means its best child.

        Raises:
            NotFoundError: no run has this id.
            InvalidRequestError: the name cannot be accepted, or the run has no model.
        """

    @abstractmethod
    def update(
        self,
        model_id: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Change what is written about a model; None leaves it as it is.

        Raises:
            NotFoundError: it is not registered.
        """

    @abstractmethod
    def contract(self, model_id: str) -> DataContract:
        """What a row for this model must look like.

        Raises:
            NotFoundError: it is not registered, or was registered without a contract.
        """


class Evaluations(ABC):
    """What models' predictions are worth on rows they have not learnt from."""

    @abstractmethod
    def list(self) -> tuple[Evaluation, ...]:
        """Every evaluation, newest first."""

    @abstractmethod
    def get(self, evaluation_id: str) -> Evaluation:
        """The evaluation as it is at this moment.

        Raises:
            NotFoundError: nobody asked for it.
        """

    @abstractmethod
    def begin(self, plan: EvaluationPlan) -> Evaluation:
        """Look at the predictions in the background. `Capability.EVALUATION`.

        The answer to the same question is kept; one that failed is tried again.

        Raises:
            NotFoundError: a model or the dataset is not registered.
            InvalidRequestError: a model cannot be held against itself, or models are
                only looked at where they are.
        """
