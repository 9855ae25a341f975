"""Rows that a contract accepted, as the frame a fitted estimator expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.domain import ColumnType, DataContract

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {
    ColumnType.INTEGER: "int64",
    ColumnType.NUMBER: "float64",
    ColumnType.STRING: "str",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATETIME: "datetime64[us]",
}


def frame(contract: DataContract, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per row, the contract's columns in its order; a missing value is NaN or None."""
    import pandas as pd  # seconds to import

    columns = {}
    for column in contract.columns:
        values = [row[column.name] for row in rows]
        dtype = _DTYPES[column.type]
        if dtype == "int64" and not all(type(value) is int for value in values):
            dtype = "float64"
        elif dtype == "bool" and None in values:
            dtype, values = "object", [math.nan if value is None else value for value in values]
        columns[column.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)
