"""One file to one table: the steps in order, and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.errors import InvalidRequestError
from services.tabular.encoding import UTF8, decode
from services.tabular.records import check_delimiter, find_delimiter, read_columns

if TYPE_CHECKING:
    import pyarrow as pa

CONTENT_LIMIT_BYTES = 50 * 1024**2


@dataclass(frozen=True, slots=True)
class Reading:
    """A table and how its file was written."""

    table: pa.Table  # int64, float64, bool, timestamp[us] in UTC, or string; in file order
    format: str  # "CSV" or "Parquet"
    delimiter: str | None = None  # of CSV only, like the next two
    decimal: str | None = None
    encoding: str | None = None
    warnings: tuple[str, ...] = ()


def read(
    content: bytes,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Reading:
    """The table in `content`. What is None is found out from the file itself.

    Raises:
        InvalidRequestError: the file cannot be read; of CSV, the line and the reason.
    """
    from services.tabular.parquet import MAGIC, read_parquet  # pyarrow: a fifth of a second

    _check_size(content)
    if content.startswith(MAGIC):
        table, warnings = read_parquet(content)
        return Reading(table, "Parquet", warnings=warnings)

    from services.tabular.types import type_columns

    text, found, delimiter = _opened(content, delimiter, encoding)
    if decimal not in (None, ".", ","):
        raise InvalidRequestError("The decimal sign is a point or a comma.")
    typed = type_columns(read_columns(text, delimiter), decimal=decimal)
    warnings = typed.warnings
    if encoding is None and found != UTF8:
        warnings = (f"The file is not UTF-8; it is read as {found}.", *warnings)
    return Reading(typed.table, "CSV", delimiter, typed.decimal, found, warnings)


def read_text_rows(content: bytes) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    """Column names and rows of a CSV file as it spells them, empty values as None.

    For rows that are checked one by one against a data contract, where one bad value
    must not change how its whole column is read. A decimal comma becomes a point.

    Raises:
        InvalidRequestError: as `read`.
    """
    from services.tabular.types import with_decimal_point

    _check_size(content)
    text, _, delimiter = _opened(content, None, None)
    read = read_columns(text, delimiter)
    columns = [column.to_pylist() for column in with_decimal_point(read, delimiter)]
    return read.names, [tuple(value or None for value in row) for row in zip(*columns, strict=True)]


def _opened(content: bytes, delimiter: str | None, encoding: str | None) -> tuple[str, str, str]:
    text, found = decode(content, encoding)
    if delimiter is None:
        return text, found, find_delimiter(text)
    check_delimiter(text, delimiter)
    return text, found, delimiter


def _check_size(content: bytes) -> None:
    if not content:
        raise InvalidRequestError("The file is empty.")
    if len(content) > CONTENT_LIMIT_BYTES:
        raise InvalidRequestError(
            f"The file has {len(content) / 1024**2:,.0f} MB; "
            f"{CONTENT_LIMIT_BYTES // 1024**2} MB are accepted."
        )
