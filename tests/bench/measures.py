"""One comparison: ours against another, on the same machine in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """Medians of both sides. `ratio` is ours to theirs."""

    subject: str
    ours: float
    theirs: float
    unit: str
    goal: str = ""  # in words; empty where there is none
    met: bool | None = None  # None where there is no goal

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("nan")

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def alternating(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int
) -> tuple[float, float]:
    """Medians of both, taken in turn, so that a busy machine slows both alike."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return tuple(statistics.median(side) for side in zip(*pairs, strict=True))  # type: ignore[return-value]


def table(measures: Iterable[Measure]) -> str:
    """The measures as aligned text."""
    rows = [("What", "Ours", "Other", "Unit", "Ratio", "Goal")]
    for each in measures:
        verdict = {None: "", True: "met: ", False: "MISSED: "}[each.met]
        figures = (f"{each.ours:.4g}", f"{each.theirs:.4g}", each.unit, f"{each.ratio:.3g}")
        rows.append((each.subject, *figures, f"{verdict}{each.goal}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
