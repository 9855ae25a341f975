"""How long a re-run takes while others use the dashboard too: 10 and 50 sessions against one.

Every session walks through the pages of the big workspace, with a pause after each as somebody
who reads would make.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from dashboard.navigation import REGISTRY
from tests.bench import big_home, servers
from tests.bench.bench_pages import address
from tests.bench.measures import ROUNDS, Measure
from tests.bench.streamlit_client import Session

CROWDS = (10, 50)
PAUSE_S = 3.0  # on average, between two pages of one session
AIM_TIMES = 2.0  # of the median, at the smaller crowd


def measure() -> Iterator[Measure]:
    with big_home.serving() as big, servers.ours(big.home) as ours:
        ours.calm()
        _crowd(ours.base, 1, pages=len(REGISTRY), pause_s=0.0)  # warm
        start = ours.cpu_ms()
        alone = _crowd(ours.base, 1, pages=6 * ROUNDS, pause_s=PAUSE_S / 3)
        least_cpu = (ours.cpu_ms() - start) / len(alone)
        for size in CROWDS:
            before, began = ours.cpu_ms(), time.monotonic()
            waited = _crowd(ours.base, size, pages=2 * ROUNDS, pause_s=PAUSE_S)
            busy = (ours.cpu_ms() - before) / 1000 / (time.monotonic() - began)
            yield from _compared(size, alone, waited, busy)
            cpu = (ours.cpu_ms() - before) / len(waited)
            yield Measure(
                f"Switch and re-run with {size} sessions, CPU of each", cpu, least_cpu, "ms CPU",
                against="1 session",
            )  # fmt: skip


def _compared(
    size: int, alone: Sequence[float], waited: Sequence[float], busy: float
) -> Iterator[Measure]:
    median, least = statistics.median(waited), statistics.median(alone)
    first = size == CROWDS[0]
    yield Measure(
        f"Re-run with {size} sessions, median", median, least, "ms",
        f"≤ {AIM_TIMES:.0f}×" if first else "", median <= AIM_TIMES * least if first else None,
        "1 session", note=f"{len(waited)} re-runs; the process used {busy:.0%} of a core",
    )  # fmt: skip
    yield Measure(
        f"Re-run with {size} sessions, worst", max(waited), max(alone), "ms", against="1 session"
    )


def _crowd(base: str, size: int, *, pages: int, pause_s: float) -> list[float]:
    """Milliseconds of every re-run of `size` sessions, which visit that many pages each."""
    together = threading.Barrier(size)

    def visit(number: int) -> list[float]:
        chance = random.Random(number)
        waited: list[float] = []
        with Session(base) as session:
            session.run()
            together.wait()
            for step in range(pages):
                time.sleep(chance.uniform(0, 2 * pause_s))
                page = REGISTRY[(number + step) % len(REGISTRY)]
                session.run(address(page))
                waited.append(session.run(address(page)) * 1000)
        return waited

    with ThreadPoolExecutor(size) as pool:
        return [each for waited in pool.map(visit, range(size)) for each in waited]
