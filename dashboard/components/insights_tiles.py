"""The window in six numbers."""

from __future__ import annotations

import streamlit as st

from dashboard import formats
from services import percentiles
from services.traffic import Traffic


def show(traffic: Traffic, *, before: Traffic | None = None) -> None:
    """Requests, failures and durations; without requests it says so, and nothing reads 0 %.

    Args:
        before: the period before, to say what changed since.
    """
    then = before if before is not None and before.requests else None
    if before is not None and then is None:
        st.caption(":material/history: No requests in the period before: nothing to compare with.")
    tiles = st.columns(6, gap="small")
    tiles[0].metric(
        "Requests",
        formats.count(traffic.requests) if traffic.requests else "no requests",
        _change(traffic.requests, then.requests if then else None),
        delta_color="off",
        border=True,
    )
    rate = traffic.failure_rate
    tiles[1].metric(
        "Failure rate",
        "no requests" if rate is None else formats.percent(rate),
        _points(rate, then.failure_rate if then else None),
        delta_color="inverse",
        border=True,
        help="Answered with a status of 400 or above, or not answered: "
        f"{formats.count(traffic.failed)} of {formats.count(traffic.requests)}.",
    )
    tiles[2].metric(
        "Mean",
        formats.milliseconds(traffic.mean_ms),
        _change(traffic.mean_ms, then.mean_ms if then else None),
        delta_color="inverse",
        border=True,
    )
    for tile, rank, value, earlier in (
        (tiles[3], 50, traffic.p50_ms, then.p50_ms if then else None),
        (tiles[4], 95, traffic.p95_ms, then.p95_ms if then else None),
        (tiles[5], 99, traffic.p99_ms, then.p99_ms if then else None),
    ):
        tile.metric(
            f"p{rank}",
            formats.milliseconds(value),
            _change(value, earlier),
            delta_color="inverse",
            border=True,
            help=_help(rank, traffic.requests),
        )


def _change(now: float | None, then: float | None) -> str | None:
    """How much more it is, as a share of what it was; None where that cannot be said."""
    if now is None or not then:
        return None
    return f"{(now - then) / then:+.1%}".replace("%", " %")


def _points(now: float | None, then: float | None) -> str | None:
    """The change of a share, in percentage points."""
    if now is None or then is None:
        return None
    return f"{100 * (now - then):+.1f} points"


def _help(rank: int, count: int) -> str:
    words = f"{rank} % of the requests were answered within this time."
    if count and not percentiles.supported(rank, count):
        needed = percentiles.needed_count(rank)
        words += f" A guess: it takes {needed} requests to tell, and there were {count}."
    return words
