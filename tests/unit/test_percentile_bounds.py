"""The interval of a percentile: as wide as it must be, and no interval where there is none."""

from __future__ import annotations

import math
import random

import pytest

from services.percentile_bounds import bounds
from services.percentiles import percentile

RANKS = range(101)


def curve(durations: list[float]) -> dict[int, float]:
    ordered = sorted(durations)
    return {rank: percentile(ordered, rank) for rank in RANKS}


def true_value(rank: int) -> float:
    """Of exponential durations with a mean of 100 ms."""
    return -100 * math.log(1 - rank / 100)


@pytest.mark.parametrize(("rank", "count"), [(50, 400), (95, 400), (95, 20_000), (99, 2_000)])
def test_it_holds_the_true_value_in_at_least_93_of_100_runs(rank, count):
    chance = random.Random(7)
    held = 0
    for _ in range(100):
        low, high = bounds(curve([chance.expovariate(1 / 100) for _ in range(count)]), count, rank)
        held += low <= true_value(rank) <= high

    assert held >= 93


def test_it_is_no_wider_than_the_ranks_around_it():
    measured = curve([float(each) for each in range(1, 401)])

    low, high = bounds(measured, 400, 95)

    assert 368 <= low < 380 < high <= 392  # ± 9 of the 380th, and the next whole percent


def test_more_requests_make_it_narrower():
    widths = []
    for count in (400, 4_000, 40_000):
        low, high = bounds({rank: float(rank) for rank in RANKS}, count, 50)
        widths.append(high - low)

    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]


@pytest.mark.parametrize(("rank", "count"), [(95, 10), (95, 59), (99, 299), (50, 1), (50, 0)])
def test_a_sample_that_cannot_bound_it_on_both_sides_has_none(rank, count):
    assert bounds({each: float(each) for each in RANKS}, count, rank) is None


def test_an_imported_report_with_few_ranks_is_read_outwards():
    few = {50: 10.0, 66: 11.0, 75: 12.0, 80: 13.0, 90: 14.0, 95: 15.0, 98: 20.0, 100: 30.0}

    assert bounds(few, 400, 95) == (14.0, 20.0)
