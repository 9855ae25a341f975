"""Rows of values to rows of numbers, as a fitted ``ColumnTransformer`` would make them.

A category's numbers do not depend on the other columns, so they are looked up; a number goes
through the same few operations, in the same order, in the same precision. `feature_encoding`
writes the tables this reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Slots = tuple[tuple[int, float], ...]  # (position in the encoded row, value) …

COLUMNWISE_FROM = 6  # rows; below, numpy's cost per call is more than Python's per value

_ON_NUMBERS: Mapping[str, Callable[[float, float], float]] = {
    "sub": float.__sub__,
    "div": float.__truediv__,
    "mul": float.__mul__,
    "add": float.__add__,
    "at least": max,
    "at most": min,
}
DATE_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "year": attrgetter("year"),
    "month": attrgetter("month"),
    "day": attrgetter("day"),
    "hour": attrgetter("hour"),
    "dayofweek": datetime.weekday,
}
ON_ARRAYS: Mapping[str, Callable[[Matrix, Any], Matrix]] = {
    "sub": np.subtract,
    "div": np.divide,
    "mul": np.multiply,
    "add": np.add,
    "at least": np.maximum,
    "at most": np.minimum,
}


class Encoder:
    """Made from the JSON that `feature_encoding.encoding` wrote."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._base: list[float] = document["base"]
        self._lookups = tuple(_Lookup(each) for each in document["lookups"])
        numbers = [e for e in document["numbers"] if not e["mark"]]
        self._numbers = tuple(_Number(e) for e in numbers if "part" not in e)
        self._dates = tuple(_DatePart(e) for e in numbers if "part" in e)
        self._marks = tuple((e["index"], e["slot"]) for e in document["numbers"] if e["mark"])
        self._quick_lookups = tuple((e.index, e.table.get, e.unseen) for e in self._lookups)
        self._quick_numbers = tuple((e.index, e.slot, e.fill, e.on_numbers) for e in self._numbers)

    def encode(self, rows: Sequence[Sequence[Any]]) -> Matrix:
        """One encoded row per row of values; values in the contract's order, None when missing."""
        if len(rows) < COLUMNWISE_FROM:
            return np.array([self._row(row) for row in rows])
        matrix = np.tile(self._base, (len(rows), 1))
        columns = tuple(zip(*rows, strict=True))
        for lookup in self._lookups:
            lookup.write(columns[lookup.index], matrix)
        for number in self._numbers:
            number.write(columns[number.index], matrix)
        for date in self._dates:
            matrix[:, date.slot] = [date.of(value) for value in columns[date.index]]
        for index, slot in self._marks:
            matrix[:, slot] = [value is None for value in columns[index]]
        return matrix

    def _row(self, row: Sequence[Any]) -> list[float]:
        encoded = self._base.copy()
        for index, found, unseen in self._quick_lookups:
            for slot, value in found(row[index], unseen):
                encoded[slot] = value
        for index, slot, fill, operations in self._quick_numbers:
            value = row[index]
            number = fill if value is None else float(value)
            for operate, operand in operations:
                number = operate(number, operand)
            encoded[slot] = number
        for date in self._dates:
            encoded[date.slot] = date.of(row[date.index])
        for index, slot in self._marks:
            encoded[slot] = float(row[index] is None)
        return encoded


class _Lookup:
    """The entries of one column of categories."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.index: int = document["index"]
        self.table = {value: _slots(slots) for value, slots in document["table"]}
        self.unseen = _slots(document["unseen"])
        entries = [*self.table.values(), self.unseen]
        self._touched = sorted({slot for entry in entries for slot, _ in entry})
        self._block = np.zeros((len(entries), len(self._touched)))
        for row, entry in enumerate(entries):
            for slot, value in entry:
                self._block[row, self._touched.index(slot)] = value
        self._places = {value: place for place, value in enumerate(self.table)}

    def write(self, column: Sequence[Any], matrix: Matrix) -> None:
        last = len(self._block) - 1
        places = [self._places.get(value, last) for value in column]
        matrix[:, self._touched] = self._block[places]


class _Number:
    """What becomes of one column of numbers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.index: int = document["index"]
        self.slot: int = document["slot"]
        self.fill = float("nan") if document["fill"] is None else float(document["fill"])
        operations = document["operations"]
        self.on_numbers = tuple((_ON_NUMBERS[name], operand) for name, operand in operations)
        self._on_arrays = tuple((ON_ARRAYS[name], operand) for name, operand in operations)

    def write(self, column: Sequence[Any], matrix: Matrix) -> None:
        values = np.array([self.fill if each is None else each for each in column], np.float64)
        for operate, operand in self._on_arrays:
            values = operate(values, operand)
        matrix[:, self.slot] = values


class _DatePart:
    """One part of a column of instants, as a number."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.index: int = document["index"]
        self.slot: int = document["slot"]
        self._fill = float(document["fill"])
        self._part = DATE_PARTS[document["part"]]

    def of(self, value: datetime | None) -> float:
        return self._fill if value is None else float(self._part(value))


def _slots(pairs: Sequence[Sequence[float]]) -> Slots:
    return tuple((int(slot), float(number)) for slot, number in pairs)
