"""Runs the comparisons: ``python -m tests.bench [telemetry scoring …]``; all of them by default.

``python -m tests.bench readme`` puts the newest results into the README. ``ROUNDS`` says of how
many rounds medians are taken (5), ``AUTOML_ROUNDS`` of how many AutoML's are (5, of eleven
minutes each), ``AUTOML_SECONDS`` what AutoML is given in each (30,60,120).
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.bench import measures, results

COMPARISONS = ("pages", "visits", "sessions", "memory", "telemetry", "scoring", "automl")


def main(asked: Sequence[str]) -> int:
    """Measure, print the table, keep it as JSON; 1 when an aim was missed."""
    if list(asked) == ["readme"]:
        return _readme()
    unknown = sorted(set(asked) - set(COMPARISONS))
    if unknown:
        print(f"There is no {', '.join(unknown)}; there are {', '.join(COMPARISONS)}, readme.")
        return 2
    began = datetime.now(UTC)
    found: list[results.Result] = []
    failed: list[str] = []
    for name in asked or COMPARISONS:
        print(f"measuring {name} …", flush=True)
        try:
            found.append(_measured(name))
        except Exception:  # the others still count; the exit code tells
            traceback.print_exc()
            failed.append(name)
        kept = results.keep(found, began)
    every = [measure for each in found for measure in each.measures]
    print(f"\n{measures.table(every)}\n\nkept in {kept.relative_to(results.ROOT)}")
    if failed:
        print(f"could not be measured: {', '.join(failed)}")
    return 1 if failed or any(each.reached is False for each in every) else 0


def _measured(name: str) -> results.Result:
    module = importlib.import_module(f"tests.bench.bench_{name}")
    before = os.getloadavg()[0]
    taken = tuple(module.measure())
    rounds = getattr(module, "ROUNDS", measures.ROUNDS)
    return results.Result(name, results.now(), rounds, (before, os.getloadavg()[0]), taken)


def _readme() -> int:
    shown = results.show(COMPARISONS)
    print(f"the README shows {shown} of {len(COMPARISONS)} comparisons")
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
