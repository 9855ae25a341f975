"""How far a measured percentile may lie from the true one (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from services.percentiles import CONFIDENCE

EXACT_COUNT = 5_000  # beyond it the normal approximation is as good


def bounds(curve_ms: Mapping[int, float], count: int, rank: int) -> tuple[float, float] | None:
    """Two measurements between which the true percentile lies, 95 % sure.

    None where the sample is too small to bound it on both sides. Holds for any
    distribution, as long as the requests do not depend on each other.

    Args:
        curve_ms: rank → milliseconds; the interval is widened to the nearest known ranks.
        count: how many requests the curve describes.
        rank: above 0 and below 100.

    Source: the binomial interval of order statistics.
    """
    places = _places(count, rank) if count else None
    if places is None:
        return None
    lower = max((each for each in curve_ms if each * count <= 100 * places[0]), default=None)
    upper = min((each for each in curve_ms if each * count >= 100 * places[1]), default=None)
    if lower is None or upper is None:
        return None
    return curve_ms[lower], curve_ms[upper]


@lru_cache(maxsize=512)
def _places(count: int, rank: int) -> tuple[int, int] | None:
    """Which of the ordered measurements, counted from 1, bound the percentile."""
    share, tail = rank / 100, (1 - CONFIDENCE) / 2
    if count > EXACT_COUNT:
        reach = 1.96 * math.sqrt(count * share * (1 - share))
        return math.floor(count * share - reach), math.ceil(count * share + reach) + 1
    below, lower, upper = 0.0, 0, None
    for successes in range(count):  # P(successes) measurements lie below the true value
        below += math.exp(_log_chance(count, successes, share))
        if below <= tail:
            lower = successes + 1
        if below >= 1 - tail:
            upper = successes + 1
            break
    return (lower, upper) if lower and upper is not None else None


def _log_chance(count: int, successes: int, share: float) -> float:
    ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    return ways + successes * math.log(share) + (count - successes) * math.log(1 - share)
