"""What a row of data must look like: one contract for the form, the CSV check and the server.

A contract is derived from a dataset's profile and travels as JSON beside the dataset and
beside every model trained on it. Nothing here needs more than the standard library, so a
scoring server can check a row without loading pandas.

Two grades of objection: a *blocking* one means no model could read the row (a column is
missing, text stands where a number belongs); the other kind means the row is unlike the
data seen so far (a new category, a value out of range), which is worth saying and no
reason to refuse.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.domain import (
    ColumnContract,
    ColumnProfile,
    ColumnType,
    DataContract,
    DatasetProfile,
    RowProblem,
)
from services.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 1
CATEGORY_LIMIT = 100  # a text column with more distinct values is free text
CLASS_LIMIT = 20  # a whole-number label with more distinct values is a quantity
SHOWN_LENGTH = 60  # of an offending value inside a sentence


# --- making one -------------------------------------------------------------------


def derive(
    profile: DatasetProfile, *, label: str | None = None, dataset_id: str | None = None
) -> DataContract:
    """The contract of the columns other than `label`, in the dataset's order.

    Raises:
        InvalidRequestError: the dataset has no column named `label`.
    """
    classes = _classes(profile.column(label)) if label is not None else ()
    return DataContract(
        columns=tuple(_column(each) for each in profile.columns if each.name != label),
        label=label,
        classes=classes,
        dataset_id=dataset_id,
    )


def from_frame(
    frame: pd.DataFrame, *, label: str | None = None, dataset_id: str | None = None
) -> DataContract:
    """The contract of a frame that was never registered, such as a training split."""
    from services import profiles  # pandas and numpy: seconds to import

    return derive(profiles.profile(frame), label=label, dataset_id=dataset_id)


def _column(profile: ColumnProfile) -> ColumnContract:
    closed = profile.type is ColumnType.STRING and profile.distinct_count <= CATEGORY_LIMIT
    exact = int if profile.type is ColumnType.INTEGER else float
    low, high = map(exact, profile.ordinary_range) if profile.ordinary_range else (None, None)
    return ColumnContract(
        name=profile.name,
        type=profile.type,
        nullable=profile.missing_count > 0,
        minimum=low,
        maximum=high,
        categories=tuple(value for value, _ in profile.top_values) if closed else (),
        sentinels=tuple(exact(each) for each in profile.sentinels),
        example=profile.typical,
    )


def _classes(label: ColumnProfile) -> tuple[str, ...]:
    limit = CLASS_LIMIT if label.type is ColumnType.INTEGER else CATEGORY_LIMIT
    discrete = label.type in (ColumnType.STRING, ColumnType.BOOLEAN, ColumnType.INTEGER)
    if not discrete or label.distinct_count > min(limit, len(label.top_values)):
        return ()
    values = [value for value, _ in label.top_values]
    numeric = label.type is ColumnType.INTEGER
    return tuple(sorted(values, key=int) if numeric else sorted(values))


# --- keeping one ------------------------------------------------------------------


def to_json(contract: DataContract) -> str:
    """The contract as indented JSON, ending in a newline; `from_json` reads it back."""
    document = {"version": FORMAT_VERSION, **asdict(contract)}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def from_json(text: str) -> DataContract:
    """The contract that `to_json` wrote.

    Raises:
        InvalidRequestError: the text is not a contract this version can read.
    """
    try:
        document = json.loads(text)
        if document["version"] != FORMAT_VERSION:
            raise InvalidRequestError(
                f"This data contract has format version {document['version']}; "
                f"version {FORMAT_VERSION} is read here."
            )
        return DataContract(
            columns=tuple(_read_column(each) for each in document["columns"]),
            label=document["label"],
            classes=tuple(document["classes"]),
            dataset_id=document["dataset_id"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidRequestError("This is not a data contract.") from error


def _read_column(document: dict[str, Any]) -> ColumnContract:
    fields = dict(document)
    fields["type"] = ColumnType(fields["type"])
    for name in ("categories", "sentinels"):
        fields[name] = tuple(fields[name])
    return ColumnContract(**fields)


# --- using one --------------------------------------------------------------------


def example_row(contract: DataContract) -> dict[str, Any]:
    """A row the contract accepts, made of typical values: what an empty form shows."""
    return {column.name: column.example for column in contract.columns}


def check_row(contract: DataContract, row: Any) -> tuple[RowProblem, ...]:
    """Every objection to one row, blocking ones first. Empty when there is none."""
    return RowChecker(contract).problems(row)


def check_rows(contract: DataContract, rows: Iterable[Any]) -> tuple[RowProblem, ...]:
    """Every objection to every row, in row order; rows are counted from 1."""
    checker = RowChecker(contract)
    return tuple(
        problem for number, row in enumerate(rows, 1) for problem in checker.problems(row, number)
    )


class RowChecker:
    """A contract made ready for many rows. Keep one per model: a row costs microseconds."""

    def __init__(self, contract: DataContract) -> None:
        self._columns = tuple((each, _CONVERT[each.type]) for each in contract.columns)
        self._known = {each.name for each in contract.columns} | {contract.label or ""}
        self._categories = {each.name: frozenset(each.categories) for each in contract.columns}

    def conform(self, row: Any, number: int | None = None) -> dict[str, Any]:
        """The row's values as the model needs them, in the contract's order.

        Numbers that came as text become numbers and instants become datetimes without
        a zone, in UTC; columns the model does not know are left out. Missing values
        are None.

        Args:
            row: What the caller sent for one row.
            number: The row's place, from 1, if the sentence should name it.

        Raises:
            InvalidRequestError: the first blocking objection.
        """
        if not isinstance(row, Mapping):
            raise InvalidRequestError(_not_a_row(row, number).message)
        result = {}
        for column, convert in self._columns:
            sent = row.get(column.name, _ABSENT)
            value = convert(sent)
            if value is _WRONG or (value is None and not column.nullable) or sent is _ABSENT:
                value = self._as_category(column, sent)
                if value is _WRONG:
                    raise InvalidRequestError(_blocking(column, sent, number).message)
            result[column.name] = value
        return result

    def problems(self, row: Any, number: int | None = None) -> tuple[RowProblem, ...]:
        """Every objection to one row, blocking ones first."""
        if not isinstance(row, Mapping):
            return (_not_a_row(row, number),)
        blocking, unusual = [], []
        for column, convert in self._columns:
            sent = row.get(column.name, _ABSENT)
            value = convert(sent)
            if value is _WRONG or (value is None and not column.nullable) or sent is _ABSENT:
                value = self._as_category(column, sent)
            if value is _WRONG:
                blocking.append(_blocking(column, sent, number))
            elif (why := self._unusual(column, value)) is not None:
                unusual.append(_problem(column.name, why, number, blocking=False))
        unusual += [
            _problem(str(name), f"{_quoted(name)} is not a column of the data.", number, False)
            for name in row
            if name not in self._known
        ]
        return (*blocking, *unusual)

    def _as_category(self, column: ColumnContract, sent: Any) -> Any:
        """A number or a truth value whose text is a known category is that category."""
        text = str(sent) if isinstance(sent, int | float) else None
        return text if text in self._categories[column.name] else _WRONG

    def _unusual(self, column: ColumnContract, value: Any) -> str | None:
        name = _quoted(column.name)
        if value is None or value in column.sentinels:
            return None
        if column.categories and value not in self._categories[column.name]:
            return f"{name} has never been {_quoted(value)} in the data{_known_values(column)}."
        if column.type is ColumnType.INTEGER and isinstance(value, float):
            return f"{name} is a whole number in the data; {_text(value)} was sent."
        if column.minimum is not None and value < column.minimum:
            return f"{name} is {_text(value)}; the smallest in the data is {_text(column.minimum)}."
        if column.maximum is not None and value > column.maximum:
            return f"{name} is {_text(value)}; the largest in the data is {_text(column.maximum)}."
        return None


_ABSENT: Any = object()
_WRONG: Any = object()


def _number(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else _WRONG
    if value is None:
        return None
    if isinstance(value, str):
        return _parsed_number(value)
    if isinstance(value, int | float) and not isinstance(value, bool):  # numpy's float64
        return _number(float(value))
    return _WRONG


def _parsed_number(text: str) -> Any:
    text = text.strip()
    if not text:
        return None
    if "_" in text:  # Python's own notation, not data
        return _WRONG
    try:
        return int(text) if len(text) <= 18 else float(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return _WRONG
    return value if math.isfinite(value) else _WRONG


def _integer(value: Any) -> Any:
    number = _number(value)
    if type(number) is float and number.is_integer():
        return int(number)
    return number


def _string(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return None if isinstance(value, float) and math.isnan(value) else _WRONG


def _boolean(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isnan(value):
        return None
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    return None if value == "" else _WRONG


def _datetime(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return _WRONG
    if not isinstance(value, datetime):
        return _WRONG
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


_CONVERT: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.STRING: _string,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATETIME: _datetime,
}

_WANTED: Mapping[ColumnType, str] = {
    ColumnType.INTEGER: "a whole number",
    ColumnType.NUMBER: "a number",
    ColumnType.STRING: "text",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATETIME: "a date and time",
}


# --- sentences --------------------------------------------------------------------


def _blocking(column: ColumnContract, sent: Any, number: int | None) -> RowProblem:
    name = _quoted(column.name)
    if sent is _ABSENT:
        why = f"{name} is missing; every row must have it."
    elif _CONVERT[column.type](sent) is None:
        why = f"{name} is empty; every row must have {_WANTED[column.type]} there."
    else:
        wanted = f"{name} must be {_WANTED[column.type]}{_such_as(column)}"
        why = f"{wanted}; {_text(sent)} was sent."
    return _problem(column.name, why, number, blocking=True)


def _not_a_row(row: Any, number: int | None) -> RowProblem:
    why = f"A row must be an object of column names and values; {_text(row)} was sent."
    return _problem("", why, number, blocking=True)


def _problem(column: str, why: str, number: int | None, blocking: bool) -> RowProblem:
    message = why if number is None else f"Row {number}: {why}"
    return RowProblem(row=number, column=column, message=message, blocking=blocking)


def _such_as(column: ColumnContract) -> str:
    return "" if column.example is None else f", such as {_text(column.example)}"


def _known_values(column: ColumnContract) -> str:
    shown = ", ".join(column.categories[:5])
    more = len(column.categories) - 5
    return f"; known are {shown}" + (f" and {more} more" if more > 0 else "")


def _quoted(value: Any) -> str:
    return f"“{_shortened(str(value))}”"


def _text(value: Any) -> str:
    """A value as it would be written in JSON, shortened to fit a sentence."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return _shortened(str(value))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LENGTH else line[: SHOWN_LENGTH - 1] + "…"
