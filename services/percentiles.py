"""Statistics of durations: percentiles, how many measurements they need, histograms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

CONFIDENCE = 0.95
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0)


def percentile(sorted_ms: Sequence[float], rank: float) -> float:
    """The time within which `rank` percent of the requests finished (nearest rank).

    Always one of the measurements, never a mixture of two.

    Args:
        sorted_ms: durations in ascending order; not empty.
        rank: 0 to 100; 0 is the fastest request, 100 the slowest.
    """
    if not 0 <= rank <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, not at {rank}")
    # Rounded first: 0.95 × 20 is 19.000000000000004 in binary, and must stay the 19th.
    position = math.ceil(round(rank * len(sorted_ms) / 100, 9))
    return sorted_ms[max(position, 1) - 1]


def percentiles(durations_ms: Iterable[float], ranks: Iterable[float]) -> dict[float, float]:
    """Several percentiles of the same requests; empty when there were none."""
    ordered = sorted(durations_ms)
    return {rank: percentile(ordered, rank) for rank in ranks} if ordered else {}


def needed_count(rank: float) -> int:
    """How many measurements a percentile needs before a sample can say anything about it.

    With fewer, even the slowest request is less than 95 % sure to lie beyond the
    percentile, so no measured value bounds it from above: 59 for p95, 299 for p99.

    Args:
        rank: above 0 and below 100.

    Source: the one-sided distribution-free bound, smallest n with 1 - p**n ≥ 0.95.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(rank / 100))


def supported(rank: float, count: int) -> bool:
    """Whether `count` measurements can say anything about this percentile."""
    return rank >= 100 or count >= needed_count(rank)


def histogram(
    durations_ms: Sequence[float], *, bin_count: int = 40
) -> tuple[tuple[float, float, int], ...]:
    """Counts of durations in equal bins whose width is a round number of milliseconds.

    Args:
        bin_count: at most about this many bins; a slow tail may widen them.

    Returns:
        (from, to, count), ascending and without gaps, each bin open at its end. Empty when
        there are no durations.
    """
    if not durations_ms:
        return ()
    low, high = min(durations_ms), max(durations_ms)
    width = _round_width((high - low) / bin_count)
    first = math.floor(low / width)
    counts = [0] * (math.floor(high / width) - first + 1)
    for duration in durations_ms:
        counts[math.floor(duration / width) - first] += 1
    return tuple(
        (round((first + place) * width, 6), round((first + place + 1) * width, 6), count)
        for place, count in enumerate(counts)
    )


def histogram_of_curve(
    curve_ms: Mapping[int, float], count: int, *, bin_count: int = 40
) -> tuple[tuple[float, float, int], ...]:
    """A histogram read off a percentile curve, for when only the curve is known.

    Between two neighbouring ranks the requests are taken as evenly spread, so a bin's
    count is accurate to about one percent of all requests.

    Args:
        curve_ms: rank → milliseconds, ascending in both.
        count: how many requests the curve describes.
    """
    ranks = sorted(curve_ms)
    if len(ranks) < 2 or count <= 0:
        return ()
    low, high = curve_ms[ranks[0]], curve_ms[ranks[-1]]
    width = _round_width((high - low) / bin_count)
    first = math.floor(low / width)
    edges = [(first + place) * width for place in range(math.floor(high / width) - first + 2)]
    below = [_share_below(curve_ms, ranks, edge) * count for edge in edges]
    totals = [round(each) for each in below]
    return tuple(
        (round(start, 6), round(end, 6), totals[place + 1] - totals[place])
        for place, (start, end) in enumerate(zip(edges, edges[1:], strict=False))
    )


def _share_below(curve_ms: Mapping[int, float], ranks: Sequence[int], edge: float) -> float:
    """The fraction of requests faster than `edge`."""
    if edge <= curve_ms[ranks[0]]:
        return 0.0
    for lower, upper in zip(ranks, ranks[1:], strict=False):
        if edge <= curve_ms[upper]:
            start, end = curve_ms[lower], curve_ms[upper]
            part = (edge - start) / (end - start) if end > start else 1.0
            return (lower + part * (upper - lower)) / 100
    return 1.0


def _round_width(width: float) -> float:
    """The next round number upwards: 1, 2, 2.5 or 5 times a power of ten."""
    if width <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(width))
    return next((step * scale for step in _NICE_STEPS if step * scale >= width), 10 * scale)
