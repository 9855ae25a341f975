"""Columns of text to columns of numbers, truth values, instants or text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from services.tabular.records import TextColumns

# Words for "missing" among numbers, truth values and instants. In a column of text only
# an empty value is missing: there, NA may be Namibia.
MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>", "#N/A")

WHOLE = r"^[+-]?(0|[1-9]\d*)$"
POINT = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
COMMA = r"^[+-]?((0|[1-9]\d*)(,\d*)?|,\d+)([eE][+-]?\d+)?$"
POINT_SIGN = r"^[+-]?\d*\.\d+$"
COMMA_SIGN = r"^([+-]?\d*),(\d+)$"
THOUSANDS = r"^[+-]?[1-9]\d{0,2},\d{3}$"
DAY = r"^\d{4}-\d{2}-\d{2}"
INSTANT = DAY + r"([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
ZONED = DAY + r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"

NEARLY = 0.95  # of a column's values are numbers: worth saying why it is read as text


@dataclass(frozen=True, slots=True)
class Typed:
    table: pa.Table
    decimal: str  # "." or ","
    warnings: tuple[str, ...]


def type_columns(text: TextColumns, *, decimal: str | None = None) -> Typed:
    """Give every column the narrowest type that loses nothing of its text.

    Whole numbers with leading zeros or too long for 64 bits stay text, as they are
    labels rather than quantities. Instants with a zone are converted to UTC.
    """
    present = [_present(column) for column in text.columns]
    warnings: list[str] = []
    if decimal is None:
        decimal, warnings = _find_decimal(text.names, present)
    arrays = [
        _typed(column, values, decimal)
        for column, values in zip(text.columns, present, strict=True)
    ]
    for name, array, column, values in zip(text.names, arrays, text.columns, present, strict=True):
        if pa.types.is_string(array.type) and (odd := _odd_one_out(column, values, decimal)):
            index, value = odd
            warnings.append(
                f"“{name}” is read as text because of “{value}” on line {text.line(index)}."
            )
    return Typed(pa.table(arrays, names=list(text.names)), decimal, tuple(warnings))


def with_decimal_point(text: TextColumns, delimiter: str) -> list[pa.ChunkedArray]:
    """The columns still as text, with the decimal commas of single values made points."""
    pointed = any(_any(pc.match_substring_regex(each, POINT_SIGN)) for each in text.columns)
    if delimiter == "," or pointed:
        return list(text.columns)
    return [pc.replace_substring_regex(each, COMMA_SIGN, r"\1.\2") for each in text.columns]


def _present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    return trimmed.filter(pc.invert(_absent(trimmed)))


def _absent(trimmed: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(trimmed, value_set=pa.array(MISSING, pa.string()))


def _typed(column: pa.ChunkedArray, present: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """The column in the first type all its present values fit."""
    if not len(present):
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    target = _target(present, decimal)
    if target is None:
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    trimmed = pc.utf8_trim_whitespace(column)
    values = pc.if_else(_absent(trimmed), pa.scalar(None, pa.string()), trimmed)
    if pa.types.is_boolean(target):
        flags = pc.equal(pc.utf8_lower(values), "true")
        return flags if not flags.null_count else flags.cast(pa.string())
    return _converted(values, target, decimal)


def _target(present: pa.ChunkedArray, decimal: str) -> pa.DataType | None:
    if _all(pc.is_in(pc.utf8_lower(present), value_set=pa.array(["true", "false"]))):
        return pa.bool_()
    for pattern, target in (
        (WHOLE, pa.int64()),
        (COMMA if decimal == "," else POINT, pa.float64()),
        (INSTANT, pa.timestamp("us")),
        (ZONED, pa.timestamp("us", "UTC")),
    ):
        if _all(pc.match_substring_regex(present, pattern)):
            return target if _fits(present, target, decimal) else None
    return None


def _fits(present: pa.ChunkedArray, target: pa.DataType, decimal: str) -> bool:
    try:
        values = _converted(present, target, decimal)
    except pa.ArrowInvalid:  # beyond 64 bits, or the 30th of February
        return False
    return not pa.types.is_floating(target) or _all(pc.is_finite(values))


def _converted(values: pa.ChunkedArray, target: pa.DataType, decimal: str) -> pa.ChunkedArray:
    if pa.types.is_timestamp(target):
        return pc.cast(pc.cast(values, target), pa.timestamp("us"))
    if pa.types.is_floating(target) and decimal == ",":
        values = pc.replace_substring(values, ",", ".")
    return pc.cast(pc.replace_substring_regex(values, r"^\+", ""), target)


def _find_decimal(names: tuple[str, ...], columns: list[pa.ChunkedArray]) -> tuple[str, list[str]]:
    """The decimal sign of the file, and what the reader should know about that choice."""
    with_comma = [i for i, each in enumerate(columns) if _all_with(each, COMMA, ",")]
    with_point = [i for i, each in enumerate(columns) if _all_with(each, POINT, ".")]
    if not with_comma:
        return ".", []
    first = names[with_comma[0]]
    if with_point:
        return ".", [
            f"“{first}” is read as text: its numbers have a decimal comma, those of "
            f"“{names[with_point[0]]}” a decimal point."
        ]
    unsure = [i for i in with_comma if _all(pc.match_substring_regex(columns[i], THOUSANDS))]
    if len(unsure) == len(with_comma):
        return ",", [
            f"The commas in “{first}” are read as decimal commas; choose the decimal point "
            "if they separate thousands."
        ]
    return ",", []


def _all_with(present: pa.ChunkedArray, pattern: str, sign: str) -> bool:
    return (
        len(present) > 0
        and _all(pc.match_substring_regex(present, pattern))
        and _any(pc.match_substring(present, sign))
    )


def _odd_one_out(
    column: pa.ChunkedArray, present: pa.ChunkedArray, decimal: str
) -> tuple[int, str] | None:
    """The first value that keeps an almost numeric column from being one, and its row."""
    number = pc.match_substring_regex(present, COMMA if decimal == "," else POINT)
    share = (pc.sum(number).as_py() or 0) / max(len(present), 1)
    if not NEARLY <= share < 1:
        return None
    value = present.filter(pc.invert(number))[0].as_py()
    row = pc.index(pc.utf8_trim_whitespace(column), value).as_py()
    return row, value if len(value) <= 40 else value[:39] + "…"


def _any(flags: pa.ChunkedArray) -> bool:
    return bool(pc.any(flags).as_py())


def _all(flags: pa.ChunkedArray) -> bool:
    return bool(pc.all(flags).as_py())
