"""What the chart artifacts of an AutoML run say, as curves and matrices (pure).

Both back ends hand over the same JSON (`run_tables` reads it), so everything drawn from
it is computed here, once. A table holds counts at 100 thresholds, not the scored rows: a
curve is exact at its points and straight between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

DECISION_THRESHOLD = 0.5  # where two classes are told apart unless somebody says otherwise
CALIBRATION_BINS = 10
LIFT_FROM_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows of one class and of the rest fell at one threshold."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def total(self) -> int:
        return self.tp + self.fp + self.tn + self.fn

    @property
    def positives(self) -> int:
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        return self.fp + self.tn

    @property
    def predicted(self) -> int:
        """How many rows were taken for the class."""
        return self.tp + self.fp

    @property
    def accuracy(self) -> float | None:
        return _share(self.tp + self.tn, self.total)

    @property
    def recall(self) -> float | None:
        return _share(self.tp, self.positives)

    @property
    def precision(self) -> float | None:
        return _share(self.tp, self.predicted)

    @property
    def false_positive_rate(self) -> float | None:
        return _share(self.fp, self.negatives)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyTable:
    """One-against-the-rest counts per class and threshold."""

    labels: tuple[str, ...]
    thresholds: tuple[float, ...]  # ascending, 0 to 1; a row counts from `>=` on
    by_probability: tuple[tuple[Counts, ...], ...]  # [class][threshold]
    by_percentile: tuple[tuple[Counts, ...], ...]  # [class][percentile of all predictions]

    def index(self, label: str) -> int:
        return self.labels.index(label)

    @property
    def rarest(self) -> str:
        """The class with the fewest rows; of equals the last, Azure's positive class."""
        sizes = {
            label: table[0].positives
            for label, table in zip(self.labels, self.by_probability, strict=True)
        }
        present = [label for label in self.labels if sizes[label]] or list(self.labels)
        return min(reversed(present), key=sizes.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionMatrix:
    """Rows are what was true, columns what was predicted, both in the order of `labels`."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float | None:
        return _share(sum(row[i] for i, row in enumerate(self.matrix)), self.total)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many rows are truly of each class."""
        return tuple(sum(row) for row in self.matrix)

    def counts(self, label: str) -> Counts:
        """The same rows as this class against the rest."""
        i = self.labels.index(label)
        tp = self.matrix[i][i]
        fn = sum(self.matrix[i]) - tp
        fp = sum(row[i] for row in self.matrix) - tp
        return Counts(tp=tp, fp=fp, tn=self.total - tp - fn - fp, fn=fn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points in drawing order, each with the threshold it belongs to."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float | None, ...]  # None where only the percentile is known
    area: float | None = None  # under the curve, where that is a figure people quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What share was really of the class, by what probability was predicted."""

    predicted: tuple[float, ...]  # mean predicted probability of each bin, to within 0.005
    observed: tuple[float, ...]  # share truly of the class
    counts: tuple[int, ...]  # rows in each bin
    error: float | None  # expected calibration error: |observed − predicted| over all rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Predicted minus true, in bins; the two outer bins reach to the extremes."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float | None
    standard_deviation: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedTrue:
    """The mean prediction for each bin of the true value. Empty bins are left out."""

    true: tuple[float, ...]  # middle of the bin
    predicted: tuple[float, ...]
    deviation: tuple[float, ...]  # standard deviation of the predictions in the bin
    counts: tuple[int, ...]


def roc(table: AccuracyTable, label: str) -> Curve:
    """False positive rate → true positive rate, from (0, 0) to (1, 1).

    Returns:
        A curve without points when every row is of the class, or none is.
    """
    points = [
        (counts.false_positive_rate, counts.recall, threshold)
        for counts, threshold in _operating_points(table, label)
    ]
    known = [(x, y, t) for x, y, t in points if x is not None and y is not None]
    if not known:
        return Curve(x=(), y=(), thresholds=())
    known = _deduplicated([(0.0, 0.0, None), *known, (1.0, 1.0, 0.0)])
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(known))
    return _curve(known, area)


def precision_recall(table: AccuracyTable, label: str) -> Curve:
    """Recall → precision, by rising recall; the area is the average precision.

    Thresholds above every prediction have no precision and are left out.
    """
    points = [
        (counts.recall, counts.precision, threshold)
        for counts, threshold in _operating_points(table, label)
    ]
    known = _deduplicated([(x, y, t) for x, y, t in points if x is not None and y is not None])
    if not known:
        return Curve(x=(), y=(), thresholds=())
    steps = pairwise([(0.0, known[0][1], None), *known])
    return _curve(known, sum((b[0] - a[0]) * b[1] for a, b in steps))


def gain(table: AccuracyTable, label: str) -> Curve:
    """Share of rows taken, best first → share of the class found."""
    points = [
        (_share(counts.predicted, counts.total), counts.recall, threshold)
        for counts, threshold in _operating_points(table, label)
    ]
    known = [(x, y, t) for x, y, t in points if x is not None and y is not None]
    if not known:
        return Curve(x=(), y=(), thresholds=())
    return _curve(_deduplicated([(0.0, 0.0, None), *known, (1.0, 1.0, 0.0)]))


def lift(table: AccuracyTable, label: str) -> Curve:
    """Share of rows taken, best first → how many times the class's own share is found there.

    Starts at the best 1 % of the rows: over fewer, one row decides.
    """
    found = gain(table, label)
    points = zip(found.x, found.y, found.thresholds, strict=True)
    return _curve([(x, y / x, t) for x, y, t in points if x >= LIFT_FROM_SHARE])


def calibration(table: AccuracyTable, label: str, *, bins: int = CALIBRATION_BINS) -> Calibration:
    """Predicted against observed, in equally wide bins of the predicted probability.

    The table says how many rows lie between two neighbouring thresholds; each such group
    stands at its middle, which is where the 0.005 comes from.
    """
    rows = table.by_probability[table.index(label)]
    grouped: list[list[tuple[float, int, int]]] = [[] for _ in range(bins)]
    for (low, high), (now, then) in zip(pairwise(table.thresholds), pairwise(rows), strict=True):
        _collect(grouped, (low + high) / 2, now.predicted - then.predicted, now.tp - then.tp)
    if rows:  # predictions of exactly 1
        _collect(grouped, table.thresholds[-1], rows[-1].predicted, rows[-1].tp)
    filled = [each for each in grouped if each]
    counts = [sum(count for _, count, _ in each) for each in filled]
    predicted = [
        sum(middle * count for middle, count, _ in each) / total
        for each, total in zip(filled, counts, strict=True)
    ]
    observed = [
        sum(hits for _, _, hits in each) / total for each, total in zip(filled, counts, strict=True)
    ]
    gaps = zip(predicted, observed, counts, strict=True)
    return Calibration(
        predicted=tuple(predicted),
        observed=tuple(observed),
        counts=tuple(counts),
        error=_share(sum(abs(o - p) * n for p, o, n in gaps), sum(counts)),
    )


def threshold_choices(table: AccuracyTable, matrix: ConfusionMatrix | None) -> tuple[float, ...]:
    """The thresholds a matrix can be shown for: the table's, and 0.5 for two classes.

    The table has no row at 0.5 (its 100 thresholds are k/99); the confusion matrix is it.
    """
    known = set(table.thresholds)
    if matrix is not None and len(matrix.labels) == 2:
        known.add(DECISION_THRESHOLD)
    return tuple(sorted(known))


def nearest(choices: Sequence[float], value: float) -> float:
    """The choice closest to `value`. `choices` ascend and are not empty."""
    at = bisect_left(choices, value)
    around = choices[max(0, at - 1) : at + 1]
    return min(around, key=lambda each: abs(each - value))


def counts_at(
    table: AccuracyTable, matrix: ConfusionMatrix | None, label: str, threshold: float
) -> Counts:
    """How the rows fall when a probability of at least `threshold` means `label`.

    Args:
        threshold: one of `threshold_choices`.

    Returns:
        At 0.5 with two classes, the confusion matrix itself: its total is the number of
        validated rows and its accuracy the one that was logged.
    """
    if threshold == DECISION_THRESHOLD and matrix is not None and len(matrix.labels) == 2:
        return matrix.counts(label)
    return table.by_probability[table.index(label)][table.thresholds.index(threshold)]


# --- pieces -----------------------------------------------------------------------

Point = tuple[float, float, float | None]


def _operating_points(table: AccuracyTable, label: str) -> Iterator[tuple[Counts, float | None]]:
    """Every known operating point of a class, from "no row taken" to "every row taken".

    Percentile rows are denser where the predictions are; they are merged in when they lie
    on the same curve, which folds summed at unequal thresholds may not.
    """
    i = table.index(label)
    rows: list[tuple[Counts, float | None]] = list(
        zip(table.by_probability[i], table.thresholds, strict=True)
    )
    percentile: list[tuple[Counts, float | None]] = [
        (counts, None) for counts in (table.by_percentile[i] if table.by_percentile else ())
    ]
    merged = sorted(rows + percentile, key=lambda each: (each[0].predicted, each[0].tp))
    if not all(a.tp <= b.tp and a.fp <= b.fp for (a, _), (b, _) in pairwise(merged)):
        merged = sorted(rows, key=lambda each: (each[0].predicted, each[0].tp))
    return iter(merged)


def _deduplicated(points: Iterable[Point]) -> list[Point]:
    """Neighbours at the same place once, keeping a threshold where one is known."""
    kept: list[Point] = []
    for x, y, threshold in points:
        if kept and kept[-1][:2] == (x, y):
            if kept[-1][2] is None:
                kept[-1] = (x, y, threshold)
        else:
            kept.append((x, y, threshold))
    return kept


def _curve(points: Sequence[Point], area: float | None = None) -> Curve:
    return Curve(
        x=tuple(point[0] for point in points),
        y=tuple(point[1] for point in points),
        thresholds=tuple(point[2] for point in points),
        area=area,
    )


def _collect(
    grouped: list[list[tuple[float, int, int]]], middle: float, count: int, hits: int
) -> None:
    if count > 0:
        grouped[min(int(middle * len(grouped)), len(grouped) - 1)].append((middle, count, hits))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
