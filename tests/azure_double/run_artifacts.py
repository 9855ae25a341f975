"""What runs leave behind, under the paths Azure keeps it: the engine's files, translated."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from services.errors import NotFoundError
from services.local.workspace import LocalWorkspace
from tests.azure_double.state import State

EXPLANATION = "explanation/global.json"  # of the engine; Azure keeps several files instead
BLOCK = 100  # columns per file of an explanation
KINDS = ("raw", "engineered")


def container_of(run_id: str) -> str:
    return f"dcid.{run_id}"


def container_run(container: str) -> str:
    return container.removeprefix("dcid.")


def paths(double: State, run_id: str) -> tuple[str, ...]:
    """Every artifact of a run, sorted."""
    engine = double.workspace
    if _is_pipeline(engine, run_id):
        return ("logs/azureml/executionlogs.txt",)
    files = engine.runs.files(run_id)
    kept = [path for path in files if path != EXPLANATION]
    if EXPLANATION in files:
        kept += list(_explanation_files(double, run_id))
    return tuple(sorted(kept))


def content(double: State, run_id: str, path: str) -> bytes:
    """One artifact. Raises NotFoundError."""
    engine = double.workspace
    if _is_pipeline(engine, run_id):
        if path != "logs/azureml/executionlogs.txt":
            raise NotFoundError("artifact", path)
        return engine.pipelines.logs(run_id, line_limit=100_000).text.encode()
    if path.startswith("explanation/"):
        files = _explanation_files(double, run_id)
        if path not in files:
            raise NotFoundError("artifact", path)
        return json.dumps(files[path]).encode()
    return engine.runs.file(run_id, path)


def explanation_id(run_id: str, kind: str) -> str:
    """Eight characters of it name the folder."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run_id}/{kind}"))


def _explanation_files(double: State, run_id: str) -> Mapping[str, Any]:
    """Path → contents, in azureml-interpret's layout: blocks of names and values, ranked."""
    found = double.workspace.runs.explanation(run_id)
    files: dict[str, Any] = {}
    for kind in KINDS:
        folder = f"explanation/{explanation_id(run_id, kind)[:8]}"
        ranked = getattr(found, kind)
        for number, start in enumerate(range(0, len(ranked), BLOCK)):
            block = ranked[start : start + BLOCK]
            names = [name for name, _ in block]
            files[f"{folder}/global_names/{number}.interpret.json"] = names
            files[f"{folder}/global_values/{number}.interpret.json"] = [v for _, v in block]
            files[f"{folder}/global_rank/{number}.interpret.json"] = list(
                range(start, start + len(block))
            )
        files[f"{folder}/features.interpret.json"] = [name for name, _ in ranked]
        files[f"{folder}/rich_metadata.interpret.json"] = {
            "global_names": {"num_blocks": -(-len(ranked) // BLOCK), "block_size": BLOCK}
        }
    return files


def _is_pipeline(engine: LocalWorkspace, run_id: str) -> bool:
    try:
        engine.pipelines.run(run_id)
    except NotFoundError:
        return False
    return True
