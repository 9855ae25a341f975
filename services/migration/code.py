"""An action as code: the SDK v1 call behind a click, and its form in ``azure-ai-ml``.

Source of the v2 forms: azure-ai-ml 1.35.2, and Microsoft's “migrate-to-v2-…” articles.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from services.errors import NotFoundError

V1_OPENING = """\
from azureml.core import Workspace

ws = Workspace.from_config()
"""
V2_OPENING = """\
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

ml_client = MLClient.from_config(DefaultAzureCredential())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done here, in both SDKs.

    In the texts ``$name`` stands for a value, written as Python.
    """

    key: str  # as in the audit log: "deployment.create"
    title: str
    example: Mapping[str, Any]  # every value the texts use
    v1: str
    v2: str = ""
    v2_note: str = ""  # what is different, or why there is no such thing


@dataclass(frozen=True, slots=True)
class Code:
    """Two programs that do the same. `v2` is empty where SDK v2 has no equivalent."""

    v1: str
    v2: str
    v2_note: str = ""


def action(key: str) -> Action:
    """Raises NotFoundError: nothing of this name can be done here."""
    from services.migration.actions import ACTIONS

    for each in ACTIONS:
        if each.key == key:
            return each
    raise NotFoundError("action", key)


def code(key: str, **values: Any) -> Code:
    """The two programs, with `values` in the place of the example's.

    Values are written as Python literals: whatever a name holds, it stays a value.

    Raises:
        NotFoundError: nothing of this name can be done here.
    """
    found = action(key)
    known = {
        **found.example,
        **{name: value for name, value in values.items() if value is not None},
    }
    literals = {name: _literal(value) for name, value in known.items()}
    return Code(
        v1=_program(V1_OPENING, found.v1, literals),
        v2=_program(V2_OPENING, found.v2, literals) if found.v2 else "",
        v2_note=found.v2_note,
    )


def _program(opening: str, text: str, literals: Mapping[str, str]) -> str:
    """Imports first, then the workspace, then the work."""
    lines = string.Template(dedent(text).strip()).substitute(literals).splitlines()
    imports = [line for line in lines if line.startswith("from ")]
    work = [line for line in lines if line not in imports]
    first, _, rest = opening.partition("\n\n")
    head = _imports([*first.splitlines(), *imports])
    return "\n".join([*head, "", *rest.strip().splitlines(), "", *work]) + "\n"


def _literal(value: Any) -> str:
    """As Python writes it, in double quotes where nothing in it needs another way."""
    text = repr(value)
    plain = isinstance(value, str) and not set(value) & set("\"'\\") and text[1:-1] == value
    return f'"{value}"' if plain else text


def _imports(lines: Sequence[str]) -> list[str]:
    """Sorted, the standard library first, one line per module."""
    names: dict[str, set[str]] = {}
    for line in lines:
        module, _, imported = line.removeprefix("from ").partition(" import ")
        names.setdefault(module, set()).update(imported.split(", "))
    return [
        f"from {module} import {', '.join(sorted(names[module]))}"
        for module in sorted(names, key=lambda each: (each.startswith("azure"), each))
    ]
