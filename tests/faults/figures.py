"""What the fault tests did and saw, as a table in ``test-results/faults.md``.

Each module leaves the rows of its kind of trouble; whoever is last puts them together.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
HEAD = "| Operation | What was done | What happened | Seconds |\n|---|---|---|---|\n"


class Figures:
    """The rows of one kind of trouble."""

    def __init__(self, number: int, title: str) -> None:
        self.number, self.title = number, title
        self._rows: list[str] = []

    def add(self, operation: str, done: str, outcome: str, seconds: float | None = None) -> None:
        took = "–" if seconds is None else f"{seconds:.1f}"
        cells = (_cell(operation), _cell(done), _cell(outcome), took)
        self._rows.append(f"| {' | '.join(cells)} |\n")

    @contextmanager
    def timed(self, operation: str, done: str) -> Iterator[list[str]]:
        """A row about the block, which says in the list what happened."""
        said: list[str] = []
        began = time.monotonic()
        yield said
        self.add(operation, done, "; ".join(said), time.monotonic() - began)

    def write(self) -> None:
        """Keep these rows, and put everybody's together. Several processes may do so at once."""
        folder = RESULTS / "faults"
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{self.number}-{self.title.replace(' ', '-').lower()}.md"
        text = f"## {self.number}. {self.title}\n\n{HEAD}{''.join(self._rows)}"
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            part.write_text(text, encoding="utf-8")
            parts = [each.read_text("utf-8") for each in sorted(folder.glob("*.md"))]
            (RESULTS / "faults.md").write_text("\n".join(parts), encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "¦").replace("\n", " ")
