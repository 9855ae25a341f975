"""Runs an Azure-style scoring script: ``init()`` once, then ``run(…)`` per request.

For models that come with a script of their own and without a data contract. A decorated
``run`` gets the body's values by name, a plain one the body as text, as on Azure.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from services.errors import InvalidRequestError
from services.local.serving import swagger
from services.local.serving.payload import parse
from services.local.serving.scorers import SCRIPT_FAILED, Scored, Scorer, failure, refusal

log = logging.getLogger("scoring")


class ScriptError(RuntimeError):
    """The script answered an error where a result belongs."""


class ScriptScorer(Scorer):
    """What a script prints goes to the server's log."""

    inline = False

    def __init__(self, script: Path) -> None:
        """Import the script and run its ``init``.

        Raises:
            Exception: whatever the script raises.
        """
        os.environ["AZUREML_MODEL_DIR"] = str(script.parent)
        self._module = _imported(script)
        parameters = inspect.signature(self._module.run).parameters
        self._parameters = {
            name: parameter.default
            for name, parameter in parameters.items()
            if name != "request_headers"
        }
        self._decorated = hasattr(self._module.run, "__wrapped__")
        self._module.init()

    def score(self, body: bytes) -> Scored:
        try:
            arguments = self._arguments(body)
        except InvalidRequestError as error:
            return refusal(400, error)
        started = time.perf_counter()
        try:
            made = self._module.run(**arguments)
            content = orjson.dumps(made, option=orjson.OPT_SERIALIZE_NUMPY)
        except (Exception, SystemExit) as error:
            log.error("run() failed", exc_info=error)
            return failure(error, (time.perf_counter() - started) * 1000)
        run_ms = (time.perf_counter() - started) * 1000
        complaint = _complaint(made)
        if complaint is None:
            return Scored(200, content, run_ms)
        # Scripts that catch their own errors answer them as results; a 200 would hide that.
        log.error("run() answered an error: %s", complaint)
        return failure(ScriptError(complaint), run_ms, f"{SCRIPT_FAILED} {complaint}")

    def swagger(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        if not self._decorated:
            return {}
        util, run = importlib.import_module("inference_schema.schema_util"), self._module.run
        return swagger.of_script(name, util.get_input_schema(run), util.get_output_schema(run))

    def _arguments(self, body: bytes) -> dict[str, Any]:
        if not self._decorated:
            try:
                return {next(iter(self._parameters)): body.decode()}
            except UnicodeDecodeError as error:
                raise InvalidRequestError("POST body could not be decoded as UTF-8.") from error
        document = parse(body)
        arguments = {}
        for name, default in self._parameters.items():
            value = document.get(name, default)
            if value is inspect.Parameter.empty:
                raise InvalidRequestError(f"A value is not provided for the {name!r} parameter.")
            arguments[name] = value
        return arguments


def _imported(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("entry_module", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            raise AttributeError(f"{script.name} has no function {name}()")
    return module


def _complaint(made: Any) -> str | None:
    """The error in an answer that is nothing but an error."""
    if isinstance(made, str):
        try:
            made = json.loads(made)
        except ValueError:
            return None
    if isinstance(made, dict) and set(made) == {"error"}:
        return str(made["error"])
    return None
