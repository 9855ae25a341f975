"""Does a fast core answer as the model does? Measured on replayed rows, before it may serve.

The rows are the model's own sample rows, and mixtures of them until there are enough, so
that combinations the sample lacks, missing values and categories never seen are tried too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from services.domain import ColumnContract, ColumnType, DataContract

Matrix = npt.NDArray[np.float64]
Row = Mapping[str, Any]

LEAST_ROWS = 1_000
MOST_ROWS = 3_000
MIXED_SHARE = 0.25  # of the sample, added as mixtures even when the sample is large enough
TOLERANCE = 1e-4  # of a probability; of a value, relative to the spread of the answers
TIMED_ROWS = 200
NEVER_SEEN = "a category never seen"


class Answering(Protocol):
    def answer(self, data: Any) -> Matrix: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate measured."""

    row_count: int
    largest_difference: float
    label_difference_count: int
    row_us: float  # CPU microseconds for one row alone, median

    @property
    def passed(self) -> bool:
        return self.label_difference_count == 0 and self.largest_difference <= TOLERANCE


def replay_rows(contract: DataContract, sample: Sequence[Row], *, seed: int = 7) -> list[Row]:
    """The sample, and rows mixed from it until there are at least `LEAST_ROWS`."""
    if not sample:
        return []
    chance = random.Random(seed)
    rows = list(sample[:MOST_ROWS])
    wanted = max(LEAST_ROWS - len(rows), int(len(rows) * MIXED_SHARE))
    return rows + [_mixed(contract, sample, chance) for _ in range(wanted)]


def _mixed(contract: DataContract, sample: Sequence[Row], chance: random.Random) -> Row:
    row = {column.name: chance.choice(sample)[column.name] for column in contract.columns}
    if chance.random() < 0.3:
        column = chance.choice(contract.columns)
        row[column.name] = _odd(column, row[column.name])
    return row


def _odd(column: ColumnContract, value: Any) -> Any:
    """A value the contract lets through though the data hardly has it."""
    if column.nullable:
        return None
    if column.type is ColumnType.STRING:
        return NEVER_SEEN
    if column.type in (ColumnType.INTEGER, ColumnType.NUMBER) and column.maximum is not None:
        return type(value)(column.maximum * 3 + 1)
    return value


def compare(
    candidate: Answering, expected: Matrix, values: Sequence[Sequence[Any]], *, classifying: bool
) -> Verdict:
    """Answer every row both together and, for some of them, alone."""
    together = candidate.answer(values)
    alone = values[:TIMED_ROWS]
    costs_us, singles = [], []
    for row in alone:
        started = time.thread_time()
        singles.append(candidate.answer([row])[0])
        costs_us.append((time.thread_time() - started) * 1e6)
    difference = max(
        _difference(together, expected, classifying),
        _difference(np.array(singles), expected[: len(alone)], classifying),
    )
    labels = int((together.argmax(axis=1) != expected.argmax(axis=1)).sum()) if classifying else 0
    return Verdict(
        row_count=len(values),
        largest_difference=difference,
        label_difference_count=labels,
        row_us=float(np.median(costs_us)),
    )


def _difference(found: Matrix, expected: Matrix, classifying: bool) -> float:
    if found.shape != expected.shape:
        return float("inf")
    scale = 1.0 if classifying else float(np.ptp(expected)) or 1.0
    difference = float(np.abs(found - expected).max()) / scale
    return difference if difference == difference else float("inf")
