"""Runs the comparisons: ``python -m tests.bench [pages scoring …]``; all of them by default."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.measures import Measure, table

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "bench-results"


def main(asked: Sequence[str]) -> int:
    """Measure, print the table, keep it as JSON; 1 when a goal was missed."""
    names = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    unknown = sorted(set(asked) - set(names))
    if unknown:
        print(f"There is no comparison named {', '.join(unknown)}; there are {', '.join(names)}.")
        return 2
    measures: list[Measure] = []
    for name in asked or names:
        print(f"measuring {name} …", flush=True)
        measures.extend(importlib.import_module(f"tests.bench.bench_{name}").measure())
    print(f"\n{table(measures)}\n")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps([each.record() for each in measures], indent=1), "utf-8")
    print(f"kept in {file.relative_to(HERE.parents[1])}")
    return 1 if any(each.met is False for each in measures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
