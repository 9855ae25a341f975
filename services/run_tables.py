"""The four chart artifacts Azure AutoML writes, read into records (pure).

``accuracy_table`` and ``confusion_matrix`` belong to classification, ``residuals`` and
``predicted_true`` to regression.

Source: azureml-metrics 0.0.91, ``AccuracyTable``, ``ConfusionMatrix``, ``Residuals`` and
``PredictedTrue``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from services.errors import OperationFailedError
from services.run_charts import AccuracyTable, ConfusionMatrix, Counts, PredictedTrue, Residuals


def accuracy_table(payload: Mapping[str, Any]) -> AccuracyTable:
    """The table of an ``accuracy_table`` artifact.

    Raises:
        OperationFailedError: it is not of the shape Azure ML writes.
    """
    with _readable("accuracy table"):
        data = payload["data"]
        table = AccuracyTable(
            labels=tuple(str(label) for label in data["class_labels"]),
            thresholds=tuple(float(value) for value in data["probability_thresholds"]),
            by_probability=tuple(_counts(each) for each in data["probability_tables"]),
            by_percentile=tuple(_counts(each) for each in data["percentile_tables"]),
        )
        if len(table.by_probability) != len(table.labels) or not table.labels:
            raise ValueError("one table per class expected")
        if any(len(each) != len(table.thresholds) for each in table.by_probability):
            raise ValueError("one row per threshold expected")
        return table


def confusion_matrix(payload: Mapping[str, Any]) -> ConfusionMatrix:
    """The matrix of a ``confusion_matrix`` artifact.

    Raises:
        OperationFailedError: it is not of the shape Azure ML writes.
    """
    with _readable("confusion matrix"):
        data = payload["data"]
        labels = tuple(str(label) for label in data["class_labels"])
        matrix = tuple(tuple(int(cell) for cell in row) for row in data["matrix"])
        if {len(row) for row in matrix} != {len(labels)} or len(matrix) != len(labels):
            raise ValueError("a square matrix expected")
        return ConfusionMatrix(labels=labels, matrix=matrix)


def residuals(payload: Mapping[str, Any]) -> Residuals:
    """The histogram of a ``residuals`` artifact.

    Raises:
        OperationFailedError: it is not of the shape Azure ML writes.
    """
    with _readable("residuals"):
        data = payload["data"]
        edges = tuple(float(value) for value in data["bin_edges"])
        counts = tuple(int(value) for value in data["bin_counts"])
        if len(edges) != len(counts) + 1:
            raise ValueError("one edge more than counts expected")
        return Residuals(
            edges=edges,
            counts=counts,
            mean=_optional(data.get("mean")),
            standard_deviation=_optional(data.get("stddev")),
        )


def predicted_true(payload: Mapping[str, Any]) -> PredictedTrue:
    """The bins of a ``predicted_true`` artifact.

    Raises:
        OperationFailedError: it is not of the shape Azure ML writes.
    """
    with _readable("predictions"):
        data = payload["data"]
        middles = [(float(low) + float(high)) / 2 for low, high in pairwise(data["bin_edges"])]
        columns = data["bin_averages"], data["bin_errors"], data["bin_counts"]
        rows = [row for row in zip(middles, *columns, strict=True) if int(row[3]) > 0]
        return PredictedTrue(
            true=tuple(row[0] for row in rows),
            predicted=tuple(float(row[1]) for row in rows),
            deviation=tuple(float(row[2]) for row in rows),
            counts=tuple(int(row[3]) for row in rows),
        )


def _counts(rows: Iterable[Sequence[int]]) -> tuple[Counts, ...]:
    return tuple(Counts(*(int(cell) for cell in row)) for row in rows)


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


@contextmanager
def _readable(thing: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise OperationFailedError(
            f"The {thing} of this run is not in the form Azure ML writes, so it cannot be drawn."
        ) from error
