"""How a deployment turns rows into predictions: a fast core, or the model as it was trained.

`prepare` decides which and leaves a *plan* behind; `load` makes a core of it. Only the plain
core imports pandas and scikit-learn.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.domain import DataContract
from services.local.serving import model_folder
from services.local.serving.plan import Plan

Row = Mapping[str, Any]


class UnknownMethodError(ValueError):
    """A request asked for something a model of this kind cannot answer."""


class Core(ABC):
    """Answers rows the contract accepted. Used from one thread at a time."""

    fast: bool  # a row costs less than handing it to another thread

    @abstractmethod
    def predict(self, rows: Sequence[Row]) -> list[Any]:
        """One label or value per row, as JSON writes them."""

    @abstractmethod
    def predict_proba(self, rows: Sequence[Row]) -> list[Any]:
        """One list of probabilities per row, in the order of the model's classes.

        Raises:
            UnknownMethodError: it predicts values, not classes.
        """


class FastCore(Core):
    """A native model: encoder and trees, or encoder and ONNX Runtime."""

    fast = True

    def __init__(self, folder: Path, plan: Plan) -> None:
        from services.local.serving import native

        self._answer = native.load(folder).answer
        self._classes = plan.classes

    def predict(self, rows: Sequence[Row]) -> list[Any]:
        answers = self._answer([list(row.values()) for row in rows])
        if not self._classes:
            return _finite(answers[:, 0].tolist())
        classes = self._classes
        return [classes[place] for place in answers.argmax(axis=1).tolist()]

    def predict_proba(self, rows: Sequence[Row]) -> list[Any]:
        if not self._classes:
            raise UnknownMethodError(_NO_PROBABILITIES)
        probabilities: list[Any] = self._answer([list(row.values()) for row in rows]).tolist()
        return probabilities


class PlainCore(Core):
    """The pickled estimator on a frame, exactly as it was trained. Works for every model."""

    fast = False

    def __init__(self, folder: Path, contract: DataContract) -> None:
        self._estimator = model_folder.read_estimator(folder)
        self._contract = contract

    def predict(self, rows: Sequence[Row]) -> list[Any]:
        return _finite(self._estimator.predict(self._frame(rows)).tolist())

    def predict_proba(self, rows: Sequence[Row]) -> list[Any]:
        if not hasattr(self._estimator, "predict_proba"):
            raise UnknownMethodError(_NO_PROBABILITIES)
        probabilities: list[Any] = self._estimator.predict_proba(self._frame(rows)).tolist()
        return probabilities

    def _frame(self, rows: Sequence[Row]) -> Any:
        from services.local.serving.frames import frame

        return frame(self._contract, rows)


_NO_PROBABILITIES = (
    "This model predicts values and has no probabilities; leave “method” out or send “predict”."
)


def load(model: Path, core: Path, plan: Plan) -> Core:
    """The core that `plan`, kept in the folder `core`, decided on for the model in `model`."""
    if plan.fast:
        return FastCore(core, plan)
    return PlainCore(model, model_folder.read_contract(model))


def _finite(values: list[Any]) -> list[Any]:
    """Refuse an answer that is no number: it would be a 200 that means nothing."""
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ArithmeticError("the model answered something that is not a finite number")
    return values
