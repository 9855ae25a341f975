"""The window in six numbers."""

from __future__ import annotations

import streamlit as st

from dashboard import formats
from services import percentiles
from services.traffic import Traffic


def show(traffic: Traffic) -> None:
    """Requests, failures and durations; without requests it says so, and nothing reads 0 %."""
    tiles = st.columns(6, gap="small")
    tiles[0].metric(
        "Requests",
        formats.count(traffic.requests) if traffic.requests else "no requests",
        border=True,
    )
    rate = traffic.failure_rate
    tiles[1].metric(
        "Failure rate",
        "no requests" if rate is None else formats.percent(rate),
        border=True,
        help="Answered with a status of 400 or above, or not answered: "
        f"{formats.count(traffic.failed)} of {formats.count(traffic.requests)}.",
    )
    tiles[2].metric("Mean", formats.milliseconds(traffic.mean_ms), border=True)
    for tile, rank, value in (
        (tiles[3], 50, traffic.p50_ms),
        (tiles[4], 95, traffic.p95_ms),
        (tiles[5], 99, traffic.p99_ms),
    ):
        tile.metric(
            f"p{rank}", formats.milliseconds(value), border=True, help=_help(rank, traffic.requests)
        )


def _help(rank: int, count: int) -> str:
    words = f"{rank} % of the requests were answered within this time."
    if count and not percentiles.supported(rank, count):
        needed = percentiles.needed_count(rank)
        words += f" A guess: it takes {needed} requests to tell, and there were {count}."
    return words
