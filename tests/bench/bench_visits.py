"""What a visit costs the browser: bytes, its main thread's CPU, and how long a click takes.

Against the same pages served by ``streamlit run``, whose files go out uncompressed. Clicks are
wall times, so they are only worth reading from a quiet machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page

from dashboard.navigation import REGISTRY, PageDef
from tests.bench import big_home, servers
from tests.bench.measures import ROUNDS, Measure
from tests.e2e import browser as browsing
from tests.e2e.browser import Visit

AIM_BYTES = 0.3
AGAINST = "streamlit run"
FOUR_CHARTS = "app_insights"
SWITCH_LIMIT_MS, CHARTS_LIMIT_MS = 300.0, 700.0
CLICK = f"""title => new Promise((resolve, reject) => {{
    const settled = {browsing.SETTLED};
    let began = performance.now(), clicked = false;
    const link = () => [...document.querySelectorAll('[data-testid=stSidebar] a')]
        .find(each => each.checkVisibility() && each.innerText.trim().endsWith(title));
    const look = () => {{
        if (!clicked && settled() && link()) {{
            clicked = true;
            began = performance.now();
            link().click();
        }}
        const heading = clicked && document.querySelector('h1');
        const waited = performance.now() - began;
        if (heading && heading.innerText.trim() === title && settled()) resolve(waited);
        else if (waited > 60000) reject(new Error('never settled: ' + title));
        else requestAnimationFrame(look);
    }};
    look();
}})"""


@dataclass(frozen=True, slots=True)
class Cost:
    bytes: float
    cpu_ms: float


def measure() -> Iterator[Measure]:
    path = browsing.executable()
    assert path is not None, "there is no Chromium"
    with (
        big_home.serving() as big,
        servers.ours(big.home) as ours,
        servers.plain(big.home) as plain,
        browsing.launched(path) as browser,
    ):
        ours.calm(), plain.calm()
        yield from _visits(browser, ours.base, plain.base)
        yield from _clicks(browser, ours.base)


def _visits(browser: Browser, ours: str, theirs: str) -> Iterator[Measure]:
    pairs = [(_twice(browser, ours), _twice(browser, theirs)) for _ in range(ROUNDS)]
    for place, kind in enumerate(("First visit", "Return visit")):
        own, other = ([each[side][place] for each in pairs] for side in (0, 1))
        sizes = [statistics.median(each.bytes for each in costs) / 1024 for costs in (own, other)]
        goal = f"≤ {AIM_BYTES}× the bytes" if place == 0 else ""
        met = sizes[0] <= AIM_BYTES * sizes[1] if place == 0 else None
        yield Measure(f"{kind}, bytes", *sizes, "KiB", goal, met, AGAINST)
        spent = [statistics.median(each.cpu_ms for each in costs) for costs in (own, other)]
        yield Measure(f"{kind}, the browser's main thread", *spent, "ms CPU", against=AGAINST)


def _twice(browser: Browser, base: str) -> tuple[Cost, Cost]:
    """With an empty cache, then with what the first visit left in it."""
    context = browser.new_context(viewport=browsing.VIEWPORT)  # type: ignore[arg-type]
    try:
        return _visited(context, base), _visited(context, base)
    finally:
        context.close()


def _visited(context: BrowserContext, base: str) -> Cost:
    page = context.new_page()
    session = context.new_cdp_session(page)
    received = 0.0

    def loaded(event: dict[str, float]) -> None:
        nonlocal received
        received += event["encodedDataLength"]

    session.on("Network.loadingFinished", loaded)
    session.send("Network.enable")
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    Visit(page, base).open()
    metrics = session.send("Performance.getMetrics")["metrics"]
    spent = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
    page.close()
    return Cost(bytes=received, cpu_ms=spent * 1000)


def _clicks(browser: Browser, base: str) -> Iterator[Measure]:
    context = browser.new_context(viewport=browsing.VIEWPORT)  # type: ignore[arg-type]
    page = context.new_page()
    Visit(page, base).open()
    waited: dict[str, list[float]] = {each.file: [] for each in REGISTRY}
    for number in range(ROUNDS + 1):  # the first time the browser loads what a page needs
        for each in (*REGISTRY[1:], REGISTRY[0]):
            took = _clicked(page, each)
            if number:
                waited[each.file].append(took)
    context.close()
    medians = {each.file: statistics.median(waited[each.file]) for each in REGISTRY}
    plain = [each for each in REGISTRY if each.file != FOUR_CHARTS]
    middle = statistics.median(medians[each.file] for each in plain)
    yield Measure(
        "Click to a settled page, the median of those with fewer charts", middle, None, "ms",
        f"≤ {SWITCH_LIMIT_MS:.0f} ms without charts", middle <= SWITCH_LIMIT_MS,
    )  # fmt: skip
    yield Measure(
        "Click to a settled page with four charts", medians[FOUR_CHARTS], None, "ms",
        f"≤ {CHARTS_LIMIT_MS:.0f} ms", medians[FOUR_CHARTS] <= CHARTS_LIMIT_MS,
    )  # fmt: skip
    for each in REGISTRY:
        yield Measure(
            f"Click to a settled {each.title}", medians[each.file], None, "ms", detail=True
        )


def _clicked(page: Page, to: PageDef) -> float:
    return float(page.evaluate(CLICK, to.title))
