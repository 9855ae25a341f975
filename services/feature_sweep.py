"""One column of a row over all the values it takes, the others held still (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.domain import ColumnContract, ColumnType, ScoringAnswer
from services.scoring_payload import Payload

MOST = 50  # rows of one request


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What one deployment answers to each value."""

    deployment: str
    labels: tuple[Any, ...]
    probabilities: tuple[Mapping[str, float], ...] = ()  # empty: the model gives none


def values(column: ColumnContract) -> tuple[Any, ...]:
    """The values to ask for, in order; empty when the contract names neither range nor values.

    Sentinels stand apart from the range and are left out.
    """
    if column.categories:
        return tuple(_typed(column, each) for each in column.categories[:MOST])
    if column.type is ColumnType.BOOLEAN:
        return (False, True)
    if column.minimum is None or column.maximum is None or column.maximum <= column.minimum:
        return ()
    step = (column.maximum - column.minimum) / (MOST - 1)
    spread = [column.minimum + step * number for number in range(MOST)]
    if column.type is ColumnType.INTEGER:
        return tuple(sorted({round(each) for each in spread}))
    if column.type is ColumnType.NUMBER:
        return tuple(float(f"{each:.6g}") for each in spread)
    return ()


def ordered(column: ColumnContract) -> bool:
    """Whether a line between neighbouring values means anything."""
    return not column.categories and column.type in (ColumnType.INTEGER, ColumnType.NUMBER)


def payload(base: Payload, row: int, column: str, asked: Sequence[Any]) -> Payload:
    """One request with a row per value, otherwise equal to one row of `base`."""
    rows = tuple({**base.rows[row], column: value} for value in asked)
    return Payload(rows=rows, beside=base.beside)


def curve(deployment: str, answer: ScoringAnswer) -> Curve:
    """What a good answer says."""
    return Curve(deployment=deployment, labels=answer.results, probabilities=answer.probabilities)


def disagreements(one: Curve, other: Curve) -> tuple[int, ...]:
    """At which values two deployments predict different labels, by position."""
    pairs = zip(one.labels, other.labels, strict=True)
    return tuple(at for at, (left, right) in enumerate(pairs) if left != right)


def _typed(column: ColumnContract, text: str) -> Any:
    """A category as the model takes it; the contract keeps them as text."""
    if column.type is ColumnType.INTEGER:
        return int(float(text))
    if column.type is ColumnType.NUMBER:
        return float(text)
    if column.type is ColumnType.BOOLEAN:
        return text.strip().lower() in ("true", "1", "1.0")
    return text
