"""From a registered model to an engine that serves it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.domain import DataContract, split_id
from services.local import deployment_rows
from services.local.processes import ROOT
from services.local.serving import model_folder, plan, prepare, scorers, swagger
from services.local.serving.engine import Description, Engine
from services.local.serving.plan import CoreKind, Plan

log = logging.getLogger("scoring")

PREPARE_LIMIT_S = 240.0


class CannotServeError(Exception):
    """A model cannot be served; the message says why in a sentence."""


class ModelFiles:
    """Where the files of one model are, and those of its core, which its deployments share."""

    def __init__(self, home: Path, model_id: str) -> None:
        name, version = split_id("model", model_id)
        self.model_id = model_id
        self.model = home / "models" / name / str(version)
        self.core = deployment_rows.core_folder(home, model_id)


async def prepared(files: ModelFiles) -> Plan:
    """The plan for a model: the one kept from an earlier start, or made now in a process apart.

    Raises:
        CannotServeError: the model is gone or cannot be read.
    """
    if not files.model.is_dir():
        raise CannotServeError(f"The files of {files.model_id} are gone.")
    kept = plan.read(files.core)
    if kept is not None and kept.fingerprint == plan.fingerprint(files.model):
        return kept
    code = await _run_preparation(files)
    if code == 0 and (made := plan.read(files.core)) is not None:
        return made
    if code > 0:  # it looked at the model and could not read it
        raise CannotServeError(f"{files.model_id} cannot be loaded: {_written_reason(files)}")
    log.warning("the preparation of %s was ended (%s); it is served plainly", files.model_id, code)
    return Plan(
        kind=CoreKind.PLAIN if model_folder.scorable(files.model) else CoreKind.SCRIPT,
        reason="Preparing a faster core took too long or was ended; an update tries again.",
        fingerprint="",
    )


def _written_reason(files: ModelFiles) -> str:
    path = prepare.reason_file(files.core)
    try:
        text = path.read_text(encoding="utf-8")
        path.unlink()
    except OSError:
        return "its log says why."
    return _shortened(text)


async def _run_preparation(files: ModelFiles) -> int:
    """Its exit code; negative when it was ended by a signal or by us."""
    files.core.parent.mkdir(parents=True, exist_ok=True)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.local.serving.prepare",
        str(files.model),
        str(files.core),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,  # its lifeline
    )
    try:
        return await asyncio.wait_for(child.wait(), PREPARE_LIMIT_S)
    except TimeoutError:
        child.kill()
        await child.wait()
        return -1
    except asyncio.CancelledError:
        child.kill()
        raise


def engine(name: str, files: ModelFiles, chosen: Plan) -> Engine:
    """Load the core and answer one example with it.

    Raises:
        CannotServeError: it cannot be loaded, or fails on the model's own sample.
    """
    try:
        made = scorers.load(files.model, files.core, chosen)
        documents = _described(name, files, made)
    except Exception as error:  # a pickle or a script can raise anything
        log.exception("%s cannot be served", files.model_id)
        raise CannotServeError(
            f"{files.model_id} cannot be loaded: {_shortened(_named(error))}"
        ) from error
    description = Description(model_id=files.model_id, core=chosen.described(), swagger=documents)
    remaining = [made]  # the first call takes what is loaded already

    def make() -> scorers.Scorer:
        return remaining.pop() if remaining else scorers.load(files.model, files.core, chosen)

    ready = Engine(make, description)
    log.info("%s is served by %s", files.model_id, chosen.kind)
    return ready


def _described(
    name: str, files: ModelFiles, made: scorers.Scorer
) -> Mapping[str, Mapping[str, Any]]:
    """The documents that describe the service, with rows it has answered as their example."""
    contract = made.contract
    if contract is None:
        return made.swagger(name)
    rows = model_folder.read_sample(files.model, contract)[: swagger.EXAMPLE_ROWS]
    return swagger.documents(name, contract, rows=rows, result=_results(made, contract, rows))


def _results(
    made: scorers.Scorer, contract: DataContract, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Any]:
    if not rows:
        return list(contract.classes[:1])
    body = json.dumps({"data": [{k: _plain(v) for k, v in row.items()} for row in rows]})
    answer = made.score(body.encode())
    if answer.error is not None:
        raise answer.error
    results: Sequence[Any] = json.loads(json.loads(answer.body))["result"]
    return results


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())[:200]
    return line if line.endswith((".", "!", "?")) else f"{line}."
