"""How far the values of a table have moved from those of another: schema, rows, PSI and KS (pure).

PSI, the population stability index, is computed here over bins made from the reference: tenths
of a number's values, or the values themselves. Kolmogorov-Smirnov's distance is the largest gap
between two cumulative distributions. With many rows its p-value calls every difference
significant, so the index decides and the distance is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from services.domain import ColumnProfile, DatasetProfile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

ROW_LIMIT = 100_000  # rows read of each side, from the beginning
MIN_ROWS = 50  # of either side; with fewer every bin is chance
MODERATE, LARGE = 0.1, 0.25  # customary limits of the index
FLOOR = 1e-4  # the share an empty bin counts as, so that its logarithm exists
TENTHS = 10
MOST_VALUES = 20
FREE_TEXT = 1_000  # distinct texts from which a column is names or notes, not categories
SAME = 0.05  # an index below which two columns may be one that was renamed
MISSING = "missing"


class Level(StrEnum):
    STABLE = "stable"
    MODERATE = "moderate"
    SHIFTED = "shifted"
    UNKNOWN = "too few rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    label: str
    reference: float  # shares of all rows
    current: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How one column's values moved."""

    column: str
    level: Level
    psi: float | None
    distance: float | None = None  # Kolmogorov-Smirnov's, of numbers
    p_value: float | None = None
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One difference between two tables' columns."""

    column: str
    change: str  # one word: "added", "removed", "type", "renamed"
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two tables, the reference first."""

    reference_count: int  # rows looked at
    current_count: int
    new_count: int  # rows of the current table that the reference has not, by all shared columns
    gone_count: int
    columns: tuple[ColumnDrift, ...]  # of the shared columns, the most moved first

    @property
    def shifted(self) -> tuple[ColumnDrift, ...]:
        return tuple(each for each in self.columns if each.level is Level.SHIFTED)


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> Comparison:
    """Every column both tables have, and how many rows are in one of them only."""
    shared = [name for name in reference.columns if name in current.columns]
    found = [column(str(name), reference[name], current[name]) for name in shared]
    new, gone = _rows_apart(reference[shared], current[shared]) if shared else (0, 0)
    return Comparison(
        reference_count=len(reference),
        current_count=len(current),
        new_count=new,
        gone_count=gone,
        columns=tuple(sorted(found, key=lambda each: -(each.psi or 0.0))),
    )


def column(name: str, reference: pd.Series, current: pd.Series) -> ColumnDrift:
    """How far `current` has moved from `reference`."""
    if min(len(reference), len(current)) < MIN_ROWS:
        return ColumnDrift(column=name, level=Level.UNKNOWN, psi=None)
    if _is_number(reference):
        return _of_numbers(name, _numbers(reference), _numbers(current))
    return _of_values(name, reference, current)


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """The population stability index of two lists of shares over the same bins.

    Σ (current − reference) · ln(current / reference), an empty bin counting as `FLOOR`.
    """
    import numpy as np

    before = np.maximum(np.asarray(reference, dtype=float), FLOOR)
    after = np.maximum(np.asarray(current, dtype=float), FLOOR)
    return float(np.sum((after - before) * np.log(after / before)))


def level(index: float) -> Level:
    if index >= LARGE:
        return Level.SHIFTED
    return Level.MODERATE if index >= MODERATE else Level.STABLE


def distance(
    reference: npt.NDArray[np.float64], current: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Kolmogorov-Smirnov's distance of two samples and its p-value for large ones.

    Source: scipy 1.17.1, ``scipy.stats.ks_2samp``; the limiting distribution is used alone,
    whose module takes a third of the time to import.
    """
    import numpy as np
    from scipy.special import kolmogorov

    before, after = np.sort(reference), np.sort(current)
    everywhere = np.concatenate([before, after])
    gaps = np.searchsorted(before, everywhere, side="right") / len(before) - np.searchsorted(
        after, everywhere, side="right"
    ) / len(after)
    largest = float(np.abs(gaps).max())
    effective = len(before) * len(after) / (len(before) + len(after))
    return largest, float(kolmogorov(np.sqrt(effective) * largest))


def schema(reference: DatasetProfile, current: DatasetProfile) -> tuple[SchemaChange, ...]:
    """Columns that came, went, changed their type, or were probably renamed."""
    before = {each.name: each for each in reference.columns}
    after = {each.name: each for each in current.columns}
    removed = [each for name, each in before.items() if name not in after]
    added = [each for name, each in after.items() if name not in before]
    changes = []
    for old in removed:
        new = next((each for each in added if _alike(old, each, reference, current)), None)
        if new is None:
            changes.append(_change(old.name, "removed", f"was {old.type}"))
            continue
        added.remove(new)
        detail = f"probably now “{new.name}”: same type, same values"
        changes.append(_change(old.name, "renamed", detail))
    changes += [_change(each.name, "added", f"is {each.type}") for each in added]
    changes += [
        _change(name, "type", f"was {before[name].type}, is {after[name].type}")
        for name in before
        if name in after and before[name].type is not after[name].type
    ]
    return tuple(changes)


def _change(column: str, change: str, detail: str) -> SchemaChange:
    return SchemaChange(column=column, change=change, detail=detail)


def _alike(
    old: ColumnProfile, new: ColumnProfile, reference: DatasetProfile, current: DatasetProfile
) -> bool:
    """Same type, and values spread the same way as far as the profiles tell."""
    if old.type is not new.type or not old.top_values or not new.top_values:
        return False
    names = list(dict.fromkeys(value for value, _ in (*old.top_values, *new.top_values)))
    shares = [
        [dict(each.top_values).get(name, 0) / max(profile.row_count, 1) for name in names]
        for each, profile in ((old, reference), (new, current))
    ]
    covered = min(sum(side) for side in shares)
    if covered > 0.5:
        return psi(*shares) < SAME
    return old.quartiles is not None and old.quartiles == new.quartiles


# --- of numbers -------------------------------------------------------------------


def _is_number(values: pd.Series) -> bool:
    from pandas.api import types

    return types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)


def _numbers(values: pd.Series) -> npt.NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce")
    return np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan))


def _of_numbers(
    name: str, reference: npt.NDArray[np.float64], current: npt.NDArray[np.float64]
) -> ColumnDrift:
    import numpy as np

    before, after = reference[np.isfinite(reference)], current[np.isfinite(current)]
    edges = _edges(before)
    bins = [
        (label, int(np.count_nonzero(inside(before))), int(np.count_nonzero(inside(after))))
        for label, inside in _numeric_bins(before, edges)
    ]
    gaps = (MISSING, len(reference) - len(before), len(current) - len(after))
    found = _shares([*bins, gaps], len(reference), len(current))
    largest, p_value = distance(before, after) if len(before) and len(after) else (None, None)
    return _drift(name, found, largest, p_value)


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Inner edges of the bins: each distinct value its own where they are few, else tenths."""
    import numpy as np

    distinct = np.unique(values)
    if len(distinct) <= TENTHS:
        return distinct[1:]
    return np.unique(np.quantile(values, np.arange(1, TENTHS) / TENTHS))


def _numeric_bins(
    values: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]
) -> list[tuple[str, Any]]:
    limits = [float("-inf"), *edges.tolist(), float("inf")] if len(values) else []
    found = []
    for low, high in zip(limits[:-1], limits[1:], strict=True):
        found.append((_range(low, high), lambda each, a=low, b=high: (each >= a) & (each < b)))
    return found


def _range(low: float, high: float) -> str:
    if low == float("-inf"):
        return "all" if high == float("inf") else f"under {high:,.5g}"
    return f"from {low:,.5g}" if high == float("inf") else f"{low:,.5g} to {high:,.5g}"


# --- of anything else -------------------------------------------------------------


def _of_values(name: str, reference: pd.Series, current: pd.Series) -> ColumnDrift:
    before, after = (each.dropna().astype(str) for each in (reference, current))
    if before.nunique() > FREE_TEXT:
        return ColumnDrift(column=name, level=Level.STABLE, psi=None)
    counts = before.value_counts(), after.value_counts()
    known = list(counts[0].index[:MOST_VALUES])
    bins = [(value, int(counts[0][value]), int(counts[1].get(value, 0))) for value in known]
    rest = "other values", len(before) - sum(each[1] for each in bins), _left(len(after), bins)
    gaps = (MISSING, len(reference) - len(before), len(current) - len(after))
    found = _shares([*bins, rest, gaps], len(reference), len(current))
    return _drift(name, found, None, None)


def _left(row_count: int, bins: list[tuple[str, int, int]]) -> int:
    return row_count - sum(each[2] for each in bins)


def _shares(
    counts: list[tuple[str, int, int]], reference_count: int, current_count: int
) -> tuple[Bin, ...]:
    return tuple(
        Bin(label=label, reference=before / reference_count, current=after / current_count)
        for label, before, after in counts
        if before or after
    )


def _drift(
    name: str, bins: tuple[Bin, ...], largest: float | None, p_value: float | None
) -> ColumnDrift:
    index = psi([each.reference for each in bins], [each.current for each in bins])
    return ColumnDrift(
        column=name,
        level=level(index),
        psi=index,
        distance=largest,
        p_value=p_value,
        bins=bins,
    )


def _rows_apart(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[int, int]:
    """Rows of each that the other has not, whatever their order and how often they occur."""
    from pandas.util import hash_pandas_object

    before, after = (
        hash_pandas_object(_comparable(frame), index=False) for frame in (reference, current)
    )
    return int((~after.isin(before)).sum()), int((~before.isin(after)).sum())


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Values that hash alike when they are alike: whole numbers and floats, text of any kind."""
    return frame.assign(
        **{
            str(name): frame[name].astype(float)
            if _is_number(frame[name])
            else frame[name].astype(object).where(frame[name].notna(), "").astype(str)
            for name in frame.columns
        }
    )
