"""Inputs and outputs a scoring script printed, read back from its traces.

A script prints one JSON object per request; the service cuts long messages, so that a cut
one no longer parses. Model data collection sends the same as properties. Pure.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.app_insights.wire import MESSAGE_LIMIT

PAYLOAD_LIMIT_BYTES = 64 * 1024  # Azure ML: larger payloads are not logged whole
NEAR = 0.8  # of a limit: the next, slightly larger payload may be cut

_INPUTS = ("input", "inputs", "data", "request", "features", "Input")
_OUTPUTS = ("output", "outputs", "prediction", "predictions", "result", "response", "Prediction")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedRow:
    """One request's input and output, as JSON text."""

    at: datetime
    deployment: str
    request_id: str
    input: str
    output: str
    size_bytes: int  # as printed, also of what was cut
    truncated: bool  # cut by the service: input and output are not whole

    @property
    def near_limit(self) -> bool:
        return self.size_bytes >= NEAR * MESSAGE_LIMIT


def read(rows: Iterable[Mapping[Any, Any]]) -> tuple[CapturedRow, ...]:
    """The rows of `Panel.CAPTURED` that hold an input or an output, in their order."""
    found = (_row(row) for row in rows)
    return tuple(each for each in found if each is not None)


def scored_rows(captured: Iterable[CapturedRow], deployment: str) -> list[Mapping[str, Any]]:
    """The rows of data that one deployment was asked to score, as far as they are whole.

    Reads ``{"data": [{…}]}``, also where it stands inside ``Inputs``, and a list of rows alone.
    """
    return [
        row
        for each in captured
        if each.deployment == deployment and not each.truncated
        for row in _rows_in(each.input)
    ]


def _rows_in(text: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        return []
    while isinstance(found, dict):
        inner = next((found[name] for name in ("Inputs", "inputs", "data") if name in found), None)
        found = [found] if inner is None else inner
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _row(row: Mapping[Any, Any]) -> CapturedRow | None:
    text, properties = str(row["text"]), _properties(str(row.get("properties") or "{}"))
    printed = int(properties.get("Truncated From") or len(text.encode()))
    truncated = False
    try:
        content = json.loads(text) if text.startswith("{") else properties
    except ValueError:
        truncated = "Truncated From" in properties or len(text) >= MESSAGE_LIMIT * NEAR
        content = {"input": text}
        if not truncated:
            return None  # a line that merely begins like JSON
    taken, given = _first(content, _INPUTS), _first(content, _OUTPUTS)
    if taken is None and given is None:
        return None
    return CapturedRow(
        at=row["timestamp"],
        deployment=str(row["service"] or ""),
        request_id=str(row["request_id"] or ""),
        input=_text(taken),
        output=_text(given),
        size_bytes=printed,
        truncated=truncated or printed > PAYLOAD_LIMIT_BYTES,
    )


def _properties(text: str) -> dict[str, Any]:
    """Some servers pack theirs into one, the ``repr`` of a dict."""
    found = json.loads(text)
    properties = dict(found) if isinstance(found, dict) else {}
    try:
        packed = ast.literal_eval(str(properties.get("custom_dimensions", "{}")))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return properties
    return {**properties, **packed} if isinstance(packed, dict) else properties


def _first(content: Any, names: Iterable[str]) -> Any:
    if not isinstance(content, dict):
        return None
    return next((content[name] for name in names if name in content), None)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
