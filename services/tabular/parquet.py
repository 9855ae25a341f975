"""Parquet files to the few types a dataset has."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.errors import InvalidRequestError

MAGIC = b"PAR1"
UNPACKED_LIMIT_BYTES = 2 * 1024**3

_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(content: bytes) -> tuple[pa.Table, tuple[str, ...]]:
    """The table in our types, and what was left out of it.

    Raises:
        InvalidRequestError: the file is damaged, too large, or holds a type a tabular
            dataset does not have.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > UNPACKED_LIMIT_BYTES:
            raise InvalidRequestError("The Parquet file would unpack to more than 2 GB.")
        table = file.read()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidRequestError(
            f"The Parquet file is damaged: {str(error).splitlines()[0]}"
        ) from error
    index = [name for name in table.column_names if _INDEX.fullmatch(name)]
    warnings = ("The index that pandas stored is left out.",) if index else ()
    return canonical(table.drop_columns(index)), warnings


def canonical(table: pa.Table) -> pa.Table:
    """The same values as 64-bit numbers, truth values, instants in UTC without a zone, or text.

    Raises:
        InvalidRequestError: a column has no name, has another's, or a type we do not have.
    """
    names = [name.strip() for name in table.column_names]
    if not names or not table.num_rows:
        raise InvalidRequestError("The file has no rows.")
    if "" in names or len(set(names)) < len(names):
        raise InvalidRequestError("Every column needs a name of its own.")
    try:
        arrays = [
            _canonical(name, column) for name, column in zip(names, table.columns, strict=True)
        ]
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"The file holds values out of range: {str(error).splitlines()[0]}"
        ) from error
    return pa.table(arrays, names=names)


def _canonical(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _canonical(name, column.cast(kind.value_type))
    if pa.types.is_null(kind):
        return column.cast(pa.float64())
    if pa.types.is_boolean(kind):
        return column if not column.null_count else column.cast(pa.string())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _finite(name, column.cast(pa.float64()))
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", getattr(kind, "tz", None))).cast(pa.timestamp("us"))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    raise InvalidRequestError(
        f"“{name}” holds values of type {kind}; a tabular dataset holds numbers, text, "
        "true or false, and instants."
    )


def _finite(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pc.any(pc.is_inf(column)).as_py():
        raise InvalidRequestError(f"“{name}” holds infinite values.")
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
