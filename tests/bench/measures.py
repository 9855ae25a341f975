"""One comparison: ours against another, on the same machine in the same run."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ROUNDS = int(os.environ.get("ROUNDS", "5"))  # of which medians are taken
HEADING = ("What", "Against", "Ours", "Theirs", "Ratio", "Aim", "Reached")


@dataclass(frozen=True, slots=True)
class Measure:
    """Medians of both sides. `ratio` is ours to theirs; None where there is nothing to compare."""

    subject: str
    ours: float | None
    theirs: float | None
    unit: str
    aim: str = ""  # in words; empty where there is none
    reached: bool | None = None  # None where there is no aim, or it could not be measured
    against: str = ""  # what theirs is
    note: str = ""  # why a side is missing, or what else belongs to the figure
    detail: bool = False  # printed and kept, but not shown in the README

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}

    def cells(self) -> tuple[str, ...]:
        """As a row of the table, under `HEADING`."""
        reached = {None: "", True: "yes", False: "no"}[self.reached]
        own = figure(self.ours, self.unit)
        against, theirs = self.against, self.note or "–"
        if self.theirs is not None:
            theirs = figure(self.theirs, self.unit)
            against = f"{against}; {self.note}" if self.note else against
        return (self.subject, against, own, theirs, times(self.ratio), self.aim, reached)


def read(record: dict[str, Any]) -> Measure:
    """A measure from its `Measure.record`."""
    return Measure(**{name: value for name, value in record.items() if name != "ratio"})


def alternating(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Medians of both, taken in turn, so that a busy machine slows both alike."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return tuple(statistics.median(side) for side in zip(*pairs, strict=True))  # type: ignore[return-value]


def figure(value: float | None, unit: str) -> str:
    """Three digits of a cost; four after the point of a share, where the last ones count."""
    if value is None:
        return "–"
    if unit == "AUC_weighted":
        return f"{value:.4f}"
    if abs(value) >= 100:
        return f"{value:,.0f} {unit}"
    return f"{value:.3g} {unit}"


def times(ratio: float | None) -> str:
    """1.25×; near 1 a digit more; what is many times less as the part that it is, 1/40."""
    if ratio is None:
        return ""
    if 0 < ratio < 0.2:
        return f"1/{1 / ratio:.2g}" if ratio > 0.1 else f"1/{1 / ratio:.0f}"
    return f"{ratio:.4g}×" if 0.95 < ratio < 1.05 else f"{ratio:.3g}×"


def table(measures: Iterable[Measure]) -> str:
    """The measures as aligned text."""
    rows = [HEADING, *(each.cells() for each in measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADING))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
