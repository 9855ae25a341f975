"""A request body as rows a model can read, or the sentence that says why not (pure).

The four refusals about the shape of a body are worded as Azure's server words them: callers
may compare. What it answers with an opaque 500, a row the model cannot read, is a 400 here
that names the column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.data_contract import RowChecker
from services.domain import DataContract
from services.errors import InvalidRequestError

METHODS = ("predict", "predict_proba")
LARGEST_NUMBER = 2**63  # whole numbers beyond it fit no column of any frame

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What a body asks."""

    rows: Sequence[Row]  # as the contract takes them
    method: str  # one of METHODS


class Reader:
    """Reads bodies by one contract. Cheap to use, so keep one."""

    def __init__(self, contract: DataContract) -> None:
        self._checker = RowChecker(contract)
        self._width = len(contract.columns)
        self._known = frozenset(column.name for column in contract.columns)

    def read(self, body: bytes) -> Question:
        """The rows in a body.

        Raises:
            InvalidRequestError: the first objection, in a sentence that names the column.
        """
        document = parse(body)
        try:
            data = document["data"]
        except KeyError:
            raise InvalidRequestError("A value is not provided for the 'data' parameter.") from None
        method = document.get("method", "predict")
        if method not in METHODS:
            raise InvalidRequestError(
                f"“method” must be “predict” or “predict_proba”; {_shown(method)} was sent."
            )
        return Question(self._rows(data), method)

    def _rows(self, data: Any) -> Sequence[Row]:
        if not isinstance(data, list):
            raise InvalidRequestError(
                f"“data” must be a list of rows, each an object of column names and values; "
                f"{_shown(data)} was sent."
            )
        if len(data) == 1:
            return [self._row(data[0], None)]
        if not data:
            raise InvalidRequestError("“data” is empty; it must hold at least one row.")
        return [self._row(row, number) for number, row in enumerate(data, 1)]

    def _row(self, row: Any, number: int | None) -> Row:
        try:
            conformed = self._checker.conform(row, number)
        except OverflowError:  # a whole number no float can hold
            raise _too_large(row, number) from None
        if len(row) > self._width:
            raise InvalidRequestError(_placed(f"{self._stranger(row)}.", number))
        return conformed

    def _stranger(self, row: Row) -> str:
        name = next(name for name in row if name not in self._known)
        return f"“{_shortened(name)}” is not a column of this model; leave it out"


def parse(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body.

    Raises:
        InvalidRequestError: it is empty, no JSON, or no object.
    """
    if not body:
        raise InvalidRequestError("POST body is empty. Expecting a JSON dictionary.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parsed_leniently(body)
    if not isinstance(document, dict):
        raise InvalidRequestError("POST body should be a JSON dictionary.")
    return document


def _parsed_leniently(body: bytes) -> Any:
    """What Python's own parser takes besides: NaN, and whole numbers of any length.

    It also words what is wrong, as Azure's server does.
    """
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError("POST body could not be decoded as UTF-8.") from error
    except UnicodeEncodeError as error:
        raise InvalidRequestError("POST body holds half of a surrogate pair.") from error
    except json.JSONDecodeError as error:
        raise InvalidRequestError(f"POST body could not be decoded as JSON: {error}") from error
    except (RecursionError, ValueError) as error:
        raise InvalidRequestError(
            "POST body is nested too deeply or holds too long a number."
        ) from error
    return document


def check_numbers(rows: Sequence[Row]) -> None:
    """Refuse whole numbers that no column can hold; asked once a model has stumbled.

    Raises:
        InvalidRequestError: the first of them.
    """
    single = len(rows) == 1
    for number, row in enumerate(rows, 1):
        if any(type(value) is int and abs(value) >= LARGEST_NUMBER for value in row.values()):
            raise _too_large(row, None if single else number)


def _too_large(row: Row, number: int | None) -> InvalidRequestError:
    name = next(
        name
        for name, value in row.items()
        if isinstance(value, int) and abs(value) >= LARGEST_NUMBER
    )
    return InvalidRequestError(
        _placed(f"“{_shortened(name)}” must be a number that fits 64 bits.", number)
    )


def _placed(sentence: str, number: int | None) -> str:
    return sentence if number is None else f"Row {number}: {sentence}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return _shortened(json.dumps(value))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
