"""Is one model better than another on the same rows, or is that noise? (pure)

The area under the ROC curve of two classes has a closed form (DeLong); every other metric
is recomputed on rows drawn again. Both look at the difference on the same rows, since two
models mostly fail on the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.domain import Difference, MetricGoal, Verdict, metric_goal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

RESAMPLES = 1000
MIN_ROWS = 100
MIN_RAREST = 10  # rows of the rarest class
Z95 = 1.959963984540054
NOTHING = 1e-12  # a difference this small is rounding


@dataclass(frozen=True, slots=True)
class Interval:
    champion: float
    challenger: float
    low: float  # of challenger − champion
    high: float
    method: str


def delong(truth: npt.NDArray[Any], champion: Array, challenger: Array) -> Interval:
    """The difference of two areas under the ROC curve, with its 95 % interval.

    Args:
        truth: 1 for the class the scores speak of, 0 for the other; both occur.
        champion, challenger: scores of the same rows.

    Source: DeLong, DeLong, Clarke-Pearson (1988); computed from midranks as in Sun and Xu (2014).
    """
    import numpy as np
    from scipy.stats import rankdata

    positive = truth == 1
    count, other = int(positive.sum()), int((~positive).sum())
    areas, from_positive, from_negative = [], [], []
    for scores in (champion, challenger):
        everywhere = rankdata(scores)
        inside, outside = rankdata(scores[positive]), rankdata(scores[~positive])
        areas.append((everywhere[positive].sum() - count * (count + 1) / 2) / (count * other))
        from_positive.append((everywhere[positive] - inside) / other)
        from_negative.append(1 - (everywhere[~positive] - outside) / count)
    first = np.var(from_positive[1] - from_positive[0], ddof=1) / count
    second = np.var(from_negative[1] - from_negative[0], ddof=1) / other
    reach = Z95 * float(np.sqrt(first + second))
    difference = areas[1] - areas[0]
    return Interval(
        float(areas[0]),
        float(areas[1]),
        float(difference - reach),
        float(difference + reach),
        "DeLong's interval of the difference",
    )


def bootstrap(
    measure: Callable[[npt.NDArray[np.int64]], tuple[float, float]],
    row_count: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The difference of any metric, with its 95 % interval from rows drawn again.

    Args:
        measure: row numbers, with repetitions → champion's and challenger's metric on them;
            NaN where those rows do not define it.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    whole = measure(np.arange(row_count))
    drawn = [measure(generator.integers(0, row_count, row_count)) for _ in range(resamples)]
    differences = np.array([challenger - champion for champion, challenger in drawn])
    known = differences[np.isfinite(differences)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return Interval(
        float(whole[0]),
        float(whole[1]),
        float(low),
        float(high),
        f"bootstrap interval of the difference, {len(known):,} draws of the same rows",
    )


def judged(metric: str, interval: Interval, *, row_count: int, rarest: int | None) -> Difference:
    """Whether the challenger is better, worse, or nobody can tell.

    Args:
        rarest: rows of the rarest class; None for regression.
    """
    reason = _too_few(row_count, rarest)
    verdict = Verdict.UNDECIDED if reason else _verdict(metric, interval)
    return Difference(
        metric=metric,
        champion=interval.champion,
        challenger=interval.challenger,
        low=interval.low,
        high=interval.high,
        row_count=row_count,
        verdict=verdict,
        method=interval.method,
        reason=reason,
    )


def _verdict(metric: str, interval: Interval) -> Verdict:
    sign = 1 if metric_goal(metric) is MetricGoal.MAXIMIZE else -1
    low, high = sorted((sign * interval.low, sign * interval.high))
    if low > NOTHING:
        return Verdict.BETTER
    return Verdict.WORSE if high < -NOTHING else Verdict.UNDECIDED


def _too_few(row_count: int, rarest: int | None) -> str:
    if row_count < MIN_ROWS:
        return f"{row_count} rows are too few; at least {MIN_ROWS} are needed."
    if rarest is not None and rarest < MIN_RAREST:
        return f"The rarest class has {rarest} of these rows; at least {MIN_RAREST} are needed."
    return ""
