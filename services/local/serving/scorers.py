"""From a request body to the body of an answer, whatever the model is made of."""

from __future__ import annotations

import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.domain import DataContract
from services.errors import InvalidRequestError
from services.local.serving import cores, model_folder
from services.local.serving.payload import Question, Reader, check_numbers
from services.local.serving.plan import CoreKind, Plan

log = logging.getLogger("scoring")

SCRIPT_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."


_encoded = json.JSONEncoder(allow_nan=False).encode  # made once: `json.dumps` would each time


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer to one body."""

    status: int
    body: bytes  # JSON
    run_ms: float | None = None  # inside the model; None when it was not asked
    error: BaseException | None = None  # why it is no 200

    @property
    def run_failed(self) -> bool:
        return self.status >= 500


class Scorer(ABC):
    """Scores bodies. Used from one thread at a time."""

    inline: bool  # a small body is scored faster than it is handed to another thread

    @abstractmethod
    def score(self, body: bytes) -> Scored:
        """Never raises: what goes wrong is in the answer."""

    @property
    def contract(self) -> DataContract | None:
        """What a row must look like, where that is known."""
        return None

    def swagger(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """Its own description per version, where it has no contract; empty when it has none."""
        return {}


class ContractScorer(Scorer):
    """Checks rows by the model's contract and answers as AutoML's scripts do."""

    def __init__(self, core: cores.Core, contract: DataContract) -> None:
        self.inline = core.fast
        self._core, self._contract = core, contract
        self._reader = Reader(contract)

    @property
    def contract(self) -> DataContract:
        return self._contract

    def score(self, body: bytes) -> Scored:
        try:
            question = self._reader.read(body)
        except InvalidRequestError as error:
            return refusal(400, error)
        started = time.perf_counter()
        try:
            text = self._answer(question)
        except cores.UnknownMethodError as error:
            return refusal(400, error)
        except Exception as error:
            return self._failed(question, error, started)
        run_ms = (time.perf_counter() - started) * 1000
        # JSON inside a JSON string: that is what these scripts answer, and callers undo it.
        return Scored(200, json.dumps(text).encode(), run_ms)

    def _answer(self, question: Question) -> str:
        if question.method == "predict":
            results = self._core.predict(question.rows)
        else:
            results = self._core.predict_proba(question.rows)
        return _encoded({"result": results})

    @staticmethod
    def _failed(question: Question, error: Exception, started: float) -> Scored:
        try:
            check_numbers(question.rows)
        except InvalidRequestError as reason:
            return refusal(400, reason)
        log.error("the model failed on %d rows", len(question.rows), exc_info=error)
        return failure(error, (time.perf_counter() - started) * 1000)


def message(text: str) -> bytes:
    """The body of a refusal, in Azure's form."""
    return json.dumps({"message": text}, ensure_ascii=False).encode()


def refusal(status: int, error: Exception) -> Scored:
    return Scored(status, message(str(error)), error=error)


def failure(error: BaseException, run_ms: float, said: str = SCRIPT_FAILED) -> Scored:
    return Scored(500, message(said), run_ms, error)


def load(model: Path, core: Path, plan: Plan) -> Scorer:
    """The scorer for the model in the folder `model`, by the plan kept in `core`."""
    if plan.kind is CoreKind.SCRIPT:
        from services.local.serving.score_script_host import ScriptScorer

        script = model_folder.script(model)
        if script is None:
            raise FileNotFoundError(f"{model} has neither a model with a contract nor a script")
        return ScriptScorer(script)
    return ContractScorer(cores.load(model, core, plan), model_folder.read_contract(model))
