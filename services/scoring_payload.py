"""The body of a scoring request: rows, and what stands beside them.

Azure's scripts take ``{"data": [{column: value, …}, …]}``; those AutoML writes also take
a ``"method"``, whose ``predict_proba`` answers probabilities instead of labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services import data_contract
from services.domain import DataContract, RowProblem
from services.errors import InvalidRequestError

METHOD = "method"
PROBABILITIES = "predict_proba"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One request's rows. Never changed in place: every change makes another."""

    rows: tuple[Mapping[str, Any], ...]
    beside: Mapping[str, Any] = field(default_factory=dict)  # what is not "data"

    @property
    def asks_probabilities(self) -> bool:
        return self.beside.get(METHOD) == PROBABILITIES

    def asking_probabilities(self, wanted: bool) -> Payload:
        """The same rows, asked for with or without probabilities."""
        beside = {name: value for name, value in self.beside.items() if name != METHOD}
        return replace(self, beside={**beside, METHOD: PROBABILITIES} if wanted else beside)

    def with_value(self, row: int, column: str, value: Any) -> Payload:
        """One value of one row, counted from 0, replaced."""
        changed = {**self.rows[row], column: value}
        return replace(self, rows=(*self.rows[:row], changed, *self.rows[row + 1 :]))

    def with_copy_of(self, row: int) -> Payload:
        """One more row at the end, equal to an existing one."""
        return replace(self, rows=(*self.rows, dict(self.rows[row])))

    def without(self, row: int) -> Payload:
        return replace(self, rows=(*self.rows[:row], *self.rows[row + 1 :]))

    def text(self, *, indent: int | None = 2) -> str:
        """The body as JSON; ``indent=None`` is what is sent."""
        document = {"data": list(self.rows), **self.beside}
        return json.dumps(document, indent=indent, ensure_ascii=False)


def typical(contract: DataContract) -> Payload:
    """One row of typical values, which the contract accepts."""
    return Payload(rows=(data_contract.example_row(contract),))


def read(text: str) -> Payload:
    """The request a JSON text holds.

    Raises:
        InvalidRequestError: where it stops being JSON, or what is missing in it.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidRequestError(
            f"This is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}."
        ) from error
    if not isinstance(document, dict) or "data" not in document:
        raise InvalidRequestError('A request is an object with “data”: {"data": [{…}, …]}.')
    rows = document.pop("data")
    if not isinstance(rows, list) or not rows:
        raise InvalidRequestError("“data” is a list with at least one row.")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InvalidRequestError(f"Row {number} of “data” is not an object of columns.")
    return Payload(rows=tuple(rows), beside=document)


def accepts_method(swagger: Mapping[str, Any]) -> bool:
    """Whether a deployment's own description says that its script takes a ``"method"``.

    Args:
        swagger: its OpenAPI document, version 2 or 3.
    """
    schemas = swagger.get("components", {}).get("schemas", {}) or swagger.get("definitions", {})
    return METHOD in schemas.get("ServiceInput", {}).get("properties", {})


def problems(contract: DataContract, payload: Payload) -> tuple[RowProblem, ...]:
    """Every objection to every row, in row order; a single row is not numbered."""
    if len(payload.rows) == 1:
        return data_contract.check_row(contract, payload.rows[0])
    return data_contract.check_rows(contract, payload.rows)
