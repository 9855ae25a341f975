"""What the App Insights page is looking at: a deployment or all, a window, a bin. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.domain import TimeWindow

MOST_BINS = 500
FEWEST_BINS = 6

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


def bin_name(window: TimeWindow) -> str:
    """The bin of a window in words."""
    return next((name for name, length in BINS.items() if length == window.bin), str(window.bin))
