"""Rows of a dataset by the values of one column: a metric can be read slice by slice (pure).

The slices of a column share no row and add up to all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MIN_ROWS = 50  # a slice with fewer is shown, but not ranked
MOST_VALUES = 12
BANDS = 5
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Cut:
    """Which slice every row of a column is in."""

    labels: tuple[str, ...]
    codes: npt.NDArray[np.int64]  # of every row: place of its label


def cut(values: pd.Series) -> Cut:
    """A number in bands of about equal size, anything else by value; rare values together."""
    from pandas.api import types

    numeric = types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)
    if numeric and values.nunique() > MOST_VALUES:
        return _bands(values)
    if types.is_datetime64_any_dtype(values.dtype):
        return _named(values.dt.strftime("%Y-%m").where(values.notna()))
    return _named(values)


def _bands(values: pd.Series) -> Cut:
    import numpy as np

    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    present = numbers[np.isfinite(numbers)]
    whole = bool((present == np.round(present)).all())
    inner = np.unique(np.quantile(present, np.arange(1, BANDS) / BANDS))
    edges = np.unique(np.round(inner)) if whole else inner
    edges = edges[(edges > present.min()) & (edges <= present.max())]
    codes = np.searchsorted(edges, numbers, side="right")
    limits = [present.min(), *edges, present.max()]
    labels = [
        _band(limits[place], limits[place + 1], whole=whole, last=place == len(limits) - 2)
        for place in range(len(limits) - 1)
    ]
    gaps = ~np.isfinite(numbers)
    if gaps.any():
        codes[gaps] = len(labels)
        labels.append(MISSING)
    return Cut(tuple(labels), codes.astype(np.int64))


def _band(low: float, high: float, *, whole: bool, last: bool) -> str:
    if whole:
        top = high if last else high - 1
        return f"{low:,.0f}" if top == low else f"{low:,.0f} to {top:,.0f}"
    return f"{low:,.4g} to {high:,.4g}" if last else f"{low:,.4g} to under {high:,.4g}"


def _named(values: pd.Series) -> Cut:
    import numpy as np

    counts = values.value_counts(dropna=True)
    shown = list(counts.index[: MOST_VALUES if len(counts) <= MOST_VALUES else MOST_VALUES - 1])
    labels = [_text(value) for value in shown]
    place: dict[Any, int] = {value: number for number, value in enumerate(shown)}
    rest = len(labels)
    present = values.notna().to_numpy()
    codes = values.map(place).fillna(rest).to_numpy(dtype=np.int64)
    if len(counts) > len(shown):
        labels.append(f"{len(counts) - len(shown):,} other values")
    if not present.all():
        codes[~present] = len(labels)
        labels.append(MISSING)
    return Cut(tuple(labels), codes)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value)
