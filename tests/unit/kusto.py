"""Microsoft's own KQL parser, asked through node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TESTS = Path(__file__).resolve().parents[1]
MODULES = TESTS / "node" / "node_modules"

Tables = Mapping[str, Mapping[str, str]]


class Verdict(NamedTuple):
    errors: list[str]
    columns: dict[str, str]  # of the answer: name → KQL type


def schemas() -> dict[str, Tables]:
    """Tables and their columns: classic and workspace as Microsoft documents them, and local.

    Local is classic, with ``success`` a truth value.
    """
    described = json.loads((TESTS / "kql" / "schema.json").read_text())
    found = {
        kind: {
            table: {**described[kind]["every_table"], **columns}
            for table, columns in described[kind]["tables"].items()
        }
        for kind in ("classic", "workspace")
    }
    found["local"] = {
        table: {**columns, **({"success": "bool"} if "success" in columns else {})}
        for table, columns in found["classic"].items()
    }
    return found


def check(queries: Iterable[tuple[str, str]]) -> list[Verdict]:
    """What the parser says about each (variant, query). One node for all: it starts slowly."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so Microsoft's KQL parser cannot be asked")
    if not (MODULES / "@kusto").is_dir():
        pytest.skip("the KQL parser is not installed: npm ci --prefix tests/node")
    asked: dict[str, Any] = {
        "schemas": {
            kind: {
                table: ", ".join(f"['{name}']:{type_}" for name, type_ in columns.items())
                for table, columns in tables.items()
            }
            for kind, tables in schemas().items()
        },
        "queries": [{"schema": schema, "text": text} for schema, text in queries],
    }
    finished = subprocess.run(
        [node, str(TESTS / "kql" / "check.js")],
        input=json.dumps(asked),
        env={**os.environ, "NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [Verdict(**verdict) for verdict in json.loads(finished.stdout)]
