"""What a table holds: types, missing values, ranges, frequent values and distributions (pure).

Computed here from the rows themselves, never by a remote job, so that a profile is there
as soon as its dataset is.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from services.domain import ColumnProfile, ColumnType, DatasetProfile
from services.errors import InvalidRequestError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

FORMAT_VERSION = 1
TOP_LIMIT = 100  # frequent values kept per column
BIN_COUNT = 20
SENTINEL_SHARE = 0.005  # a rarer extreme is an outlier, not a convention
SENTINEL_GAP = 2  # how many widths of the other values' range away it lies
CONVENTIONS = frozenset(sign * float("9" * n) for n in range(1, 7) for sign in (1, -1)) | {-1.0}


def profile(frame: pd.DataFrame) -> DatasetProfile:
    """The profile of every column, in the frame's order.

    Args:
        frame: One row per record; columns of numbers, booleans, instants or text, as
            the dataset port gives them. Other columns are read as text.
    """
    return DatasetProfile(
        row_count=len(frame),
        duplicate_count=int(frame.duplicated().sum()),
        columns=tuple(_column(str(name), frame[name]) for name in frame.columns),
    )


def column_type(values: pd.Series) -> ColumnType:
    """The type of a column. Whole numbers that became floats to hold gaps stay whole."""
    from pandas.api import types

    if types.is_bool_dtype(values.dtype):
        return ColumnType.BOOLEAN
    if types.is_integer_dtype(values.dtype):
        return ColumnType.INTEGER
    if types.is_datetime64_any_dtype(values.dtype):
        return ColumnType.DATETIME
    if types.is_float_dtype(values.dtype):
        present = values.dropna()
        gaps = len(present) < len(values)
        whole = gaps and len(present) > 0 and bool((present == present.round()).all())
        return ColumnType.INTEGER if whole else ColumnType.NUMBER
    return ColumnType.STRING


def _column(name: str, values: pd.Series) -> ColumnProfile:
    kind = column_type(values)
    present = values.dropna()
    counts = present.value_counts(sort=True)  # ties in order of appearance
    texts = [_as_text(value, kind) for value in counts.index[:TOP_LIMIT]]
    top = tuple(zip(texts, counts.tolist()[:TOP_LIMIT], strict=True))
    shared: dict[str, Any] = {
        "name": name,
        "type": kind,
        "missing_count": len(values) - len(present),
        "distinct_count": len(counts),
        "top_values": top,
    }
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        return ColumnProfile(**shared, **_numeric(present, kind))
    dated = kind is ColumnType.DATETIME and len(present) > 0
    typical: Any = top[0][0] if top else None
    return ColumnProfile(
        **shared,
        minimum=_as_text(present.min(), kind) if dated else None,
        maximum=_as_text(present.max(), kind) if dated else None,
        mean=None,
        standard_deviation=None,
        quartiles=None,
        histogram=(),
        typical=typical == "true" if kind is ColumnType.BOOLEAN and top else typical,
    )


def _numeric(present: pd.Series, kind: ColumnType) -> dict[str, Any]:
    import numpy as np

    ordered = np.sort(present.to_numpy(dtype=float))
    if not len(ordered):
        figures = ("minimum", "maximum", "mean", "standard_deviation", "quartiles")
        return {**dict.fromkeys(figures), "histogram": ()}
    sentinels = _sentinels(ordered)
    ordinary = ordered[~np.isin(ordered, sentinels)]
    middle = float(ordered[(len(ordered) - 1) // 2])
    low, mid, high = (float(each) for each in np.quantile(ordered, (0.25, 0.5, 0.75)))
    spread = float(ordered.std(ddof=1)) if len(ordered) > 1 else None
    return {
        "minimum": float(ordered[0]),
        "maximum": float(ordered[-1]),
        "mean": float(ordered.mean()),
        "standard_deviation": spread,
        "quartiles": (low, mid, high),
        "histogram": _histogram(ordinary, whole=kind is ColumnType.INTEGER),
        "ordinary_range": (float(ordinary[0]), float(ordinary[-1])),
        "sentinels": sentinels,
        "typical": int(middle) if kind is ColumnType.INTEGER else middle,
    }


def _sentinels(ordered: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Extremes that stand for "none": a customary number, frequent, and far from the rest."""
    import numpy as np

    found = []
    for value, others in (
        (ordered[-1], ordered[: np.searchsorted(ordered, ordered[-1], side="left")]),
        (ordered[0], ordered[np.searchsorted(ordered, ordered[0], side="right") :]),
    ):
        if not len(others) or float(value) not in CONVENTIONS:
            continue
        share = 1 - len(others) / len(ordered)
        width = max(float(others[-1] - others[0]), 1.0)
        nearest = min(abs(float(value - others[-1])), abs(float(value - others[0])))
        if share >= SENTINEL_SHARE and nearest > SENTINEL_GAP * width:
            found.append(float(value))
    return tuple(found)


def _histogram(
    ordered: npt.NDArray[np.float64], *, whole: bool
) -> tuple[tuple[float, float, int], ...]:
    """At most twenty bins of equal width; of whole numbers, each bin holds whole steps."""
    import numpy as np

    low, high = float(ordered[0]), float(ordered[-1])
    if whole and high - low < 2**52:
        step = max(1.0, float(np.ceil((high - low + 1) / BIN_COUNT)))
        edges = np.arange(low, high + step + 0.5, step) - 0.5
    elif low == high:
        return ((low, high, len(ordered)),)
    else:
        edges = np.linspace(low, high, BIN_COUNT + 1)
    counts, edges = np.histogram(ordered, bins=edges)
    return tuple(
        (float(start), float(end), int(count))
        for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _as_text(value: Any, kind: ColumnType) -> str:
    if kind is ColumnType.BOOLEAN:
        return "true" if value else "false"
    if kind is ColumnType.INTEGER:
        return str(int(value))
    if kind is ColumnType.NUMBER:
        return repr(float(value))
    return str(value.isoformat() if kind is ColumnType.DATETIME else value)


# --- keeping one ------------------------------------------------------------------


def to_json(profile: DatasetProfile) -> str:
    """The profile as JSON; `from_json` reads it back."""
    return json.dumps({"version": FORMAT_VERSION, **asdict(profile)}, ensure_ascii=False)


def from_json(text: str) -> DatasetProfile:
    """The profile that `to_json` wrote.

    Raises:
        InvalidRequestError: the text is not a profile this version can read.
    """
    try:
        document = json.loads(text)
        if document["version"] != FORMAT_VERSION:
            raise ValueError(document["version"])
        return DatasetProfile(
            row_count=document["row_count"],
            duplicate_count=document["duplicate_count"],
            columns=tuple(_read_column(each) for each in document["columns"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidRequestError("This is not a dataset profile.") from error


def _read_column(document: dict[str, Any]) -> ColumnProfile:
    fields = dict(document, type=ColumnType(document["type"]))
    for name in ("quartiles", "ordinary_range", "sentinels"):
        fields[name] = None if fields[name] is None else tuple(fields[name])
    for name in ("top_values", "histogram"):
        fields[name] = tuple(tuple(each) for each in fields[name])
    return ColumnProfile(**fields)
