"""What the App Insights page is looking at: a deployment or all, a window, a bin. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.domain import TimeWindow

MOST_BINS = 500
FEWEST_BINS = 6

LONGEST_S = 31 * 86_400
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/(\d{1,7})s")

BINS = {
    "1 min": timedelta(minutes=1),
    "5 min": timedelta(minutes=5),
    "15 min": timedelta(minutes=15),
    "30 min": timedelta(minutes=30),
    "1 h": timedelta(hours=1),
    "2 h": timedelta(hours=2),
    "6 h": timedelta(hours=6),
    "1 d": timedelta(days=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One question, asked of every chart and table alike."""

    deployment: str | None  # None: all
    window: TimeWindow
    span: str  # the window in words: "last 24 h"
    own_traffic: bool = True  # False leaves out load tests and probes

    compared: bool = False  # with the period before it

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells its answers from those to another question; the moment is no part of it."""
        return self.deployment, self.span, self.window.bin, self.own_traffic, self.compared

    @property
    def shift(self) -> timedelta:
        """From the earlier period to this one: whole bins, so that bins lie on bins."""
        return self.window.bin * -(-self.window.length // self.window.bin)

    @property
    def before(self) -> View:
        """The same question about the period before."""
        start, end = self.window.start - self.shift, self.window.end - self.shift
        window = replace(self.window, start=start, end=end)
        return replace(self, window=window, span=f"period before the {self.span}", compared=False)

    @property
    def subject(self) -> str:
        return self.deployment or "All deployments"


def bins_for(window: TimeWindow) -> Sequence[str]:
    """The bins that cut a window into neither too few nor too many."""
    return [
        name for name, length in BINS.items() if FEWEST_BINS <= window.length / length <= MOST_BINS
    ]


def with_bin(window: TimeWindow, name: str | None) -> TimeWindow:
    """The window in bins of that name, from a whole bin on; as it is for no name."""
    if name is None or name not in bins_for(window):
        return window
    length = BINS[name]
    seconds = window.start.timestamp() // length.total_seconds() * length.total_seconds()
    return replace(window, start=datetime.fromtimestamp(seconds, UTC), bin=length)


def written(window: TimeWindow) -> str:
    """One bin as an address says it: ``2026-11-22T10:05:00Z/300s``."""
    start = window.start.astimezone(UTC)
    return f"{start:%Y-%m-%dT%H:%M:%SZ}/{window.length // timedelta(seconds=1)}s"


def read(text: str | None) -> TimeWindow | None:
    """The bin an address speaks of; None where it speaks of none that could be."""
    found = _WRITTEN.fullmatch(text or "")
    if found is None or not 0 < (seconds := int(found[2])) <= LONGEST_S:
        return None
    try:
        start = datetime.fromisoformat(found[1])
        length = timedelta(seconds=seconds)
        return TimeWindow(start=start, end=start + length, bin=length)
    except (ValueError, OverflowError):
        return None


def bin_name(window: TimeWindow) -> str:
    """The bin of a window in words."""
    return next((name for name, length in BINS.items() if length == window.bin), str(window.bin))
