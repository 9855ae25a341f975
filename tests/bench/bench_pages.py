"""What switching to a page and re-running it costs the server, against an empty Streamlit page.

The workspace is a big one: 1,000 runs, 50 deployments, a million requests. Costs are CPU
milliseconds of the dashboard's process: on a machine that is also busy with something else
they stay comparable, which wall times do not. Before each switch there is a pause in which
everything that changes by itself is forgotten, so that the page has to ask again.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dashboard.navigation import REGISTRY, PageDef
from tests.bench import big_home, servers
from tests.bench.measures import ROUNDS, Measure
from tests.bench.streamlit_client import Session

AIM_MS = 60.0
AIM = f"≤ {AIM_MS:.0f} ms CPU"
AGAINST = "an empty page"
PAUSE_S = 2.5  # longer than a local workspace's lists are remembered
AGAIN = 3  # re-runs after each switch


@dataclass
class Costs:
    """CPU milliseconds, one a time."""

    switch: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    telemetry: list[float] = field(default_factory=list)  # of its server, in the switch


def measure() -> Iterator[Measure]:
    with (
        big_home.serving() as big,
        servers.ours(big.home) as ours,
        servers.empty(big.home.parent) as empty,
        Session(ours.base) as session,
        Session(empty.base) as other,
    ):
        ours.calm()
        telemetry = servers.Server("", big.telemetry)
        costs, nothing = _walk(ours, telemetry, session, empty, other)
    yield from _worst(costs, nothing)
    for page in REGISTRY:
        yield from _page(page, costs[page.file], nothing)


def _walk(
    ours: servers.Server,
    telemetry: servers.Server,
    session: Session,
    empty: servers.Server,
    other: Session,
) -> tuple[dict[str, Costs], list[float]]:
    """Through the menu, page by page, as often as medians take."""
    costs = {page.file: Costs() for page in REGISTRY}
    nothing: list[float] = []
    for page in REGISTRY:
        session.run(address(page)), other.run()  # warm
    for _ in range(ROUNDS):
        for page in REGISTRY:
            time.sleep(PAUSE_S)
            name, found = address(page), costs[page.file]
            before = telemetry.cpu_ms()
            found.switch.append(_cost(ours, session, name))
            found.telemetry.append(telemetry.cpu_ms() - before)
            found.again += [_cost(ours, session, name) for _ in range(AGAIN)]
            nothing.append(_cost(empty, other, ""))
    return costs, nothing


def address(page: PageDef) -> str:
    return "" if page is REGISTRY[0] else page.file


def _cost(server: servers.Server, session: Session, name: str) -> float:
    before = server.cpu_ms()
    session.run(name)
    return server.cpu_ms() - before


def _worst(costs: dict[str, Costs], nothing: Sequence[float]) -> Iterator[Measure]:
    """The page that costs most, and the one in the middle."""
    kinds: tuple[tuple[str, Callable[[Costs], list[float]]], ...] = (
        ("Page switch", lambda each: each.switch),
        ("Re-run", lambda each: each.again),
    )
    for kind, of in kinds:
        medians = {page.title: statistics.median(of(costs[page.file])) for page in REGISTRY}
        worst = max(medians, key=lambda title: medians[title])
        middle = statistics.median(medians.values())
        theirs = statistics.median(nothing)
        yield Measure(
            f"{kind}, the median of {len(REGISTRY)} pages", middle, theirs, "ms CPU", AIM,
            middle <= AIM_MS, AGAINST,
        )  # fmt: skip
        yield Measure(
            f"{kind}, the dearest page: {worst}", medians[worst], theirs, "ms CPU", AIM,
            medians[worst] <= AIM_MS, AGAINST,
        )  # fmt: skip


def _page(page: PageDef, costs: Costs, nothing: Sequence[float]) -> Iterator[Measure]:
    theirs = statistics.median(nothing)
    switch, again = statistics.median(costs.switch), statistics.median(costs.again)
    yield Measure(
        f"{page.title}: switch", switch, theirs, "ms CPU", AIM, switch <= AIM_MS, AGAINST,
        detail=True,
    )  # fmt: skip
    yield Measure(
        f"{page.title}: re-run", again, theirs, "ms CPU", AIM, again <= AIM_MS, AGAINST,
        detail=True,
    )  # fmt: skip
    asked = statistics.median(costs.telemetry)
    if asked >= 1:
        yield Measure(
            f"{page.title}: switch, the telemetry server besides", asked, None, "ms CPU",
            detail=True,
        )  # fmt: skip
