"""The golden set: requests whose right answers are known, asked of a deployment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.domain import ScoringAnswer
from services.scored.records import RowChange, ScoredRequest

TOLERANCE = 1e-6  # relative, of numbers
Send = Callable[[str], ScoringAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One golden request as it was answered now."""

    request: ScoredRequest
    answer: ScoringAnswer
    wrong: tuple[RowChange, ...] = ()  # `before` is what was expected

    @property
    def passed(self) -> bool:
        return self.answer.ok and not self.wrong

    @property
    def why(self) -> str:
        """One sentence; empty when it passed."""
        if not self.answer.ok:
            return self.answer.error
        if not self.wrong:
            return ""
        first = self.wrong[0]
        more = f", and {len(self.wrong) - 1} more rows differ" if len(self.wrong) > 1 else ""
        return f"Row {first.row}: {_said(first.after)} instead of {_said(first.before)}{more}."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the whole set says about a deployment."""

    cases: tuple[Case, ...]

    @property
    def failed(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if not case.passed)

    @property
    def passed(self) -> bool:
        return bool(self.cases) and not self.failed


def ask(requests: Sequence[ScoredRequest], send: Send) -> Verdict:
    """Send every golden request, one after the other, and judge the answers."""
    return Verdict(tuple(_case(each, send(each.payload)) for each in requests if each.golden))


def _case(request: ScoredRequest, answer: ScoringAnswer) -> Case:
    assert request.expected is not None
    if not answer.ok:
        return Case(request=request, answer=answer)
    return Case(request=request, answer=answer, wrong=_wrong(request.expected, answer.results))


def _wrong(expected: Sequence[Any], results: Sequence[Any]) -> tuple[RowChange, ...]:
    length = max(len(expected), len(results))
    pairs = [(_at(expected, row), _at(results, row)) for row in range(length)]
    return tuple(
        RowChange(row=row, before=before, after=after)
        for row, (before, after) in enumerate(pairs, start=1)
        if not same(before, after)
    )


def changes(before: ScoringAnswer, after: ScoringAnswer) -> tuple[RowChange, ...]:
    """Rows that two answers to one payload disagree on; both are ok."""
    length = max(len(before.results), len(after.results))
    found = []
    for row in range(length):
        old, new = _at(before.results, row), _at(after.results, row)
        old_shares, new_shares = _at(before.probabilities, row), _at(after.probabilities, row)
        if not same(old, new) or not same(old_shares or {}, new_shares or {}):
            found.append(
                RowChange(
                    row=row + 1,
                    before=old,
                    after=new,
                    before_probabilities=old_shares or {},
                    after_probabilities=new_shares or {},
                )
            )
    return tuple(found)


def same(one: Any, other: Any) -> bool:
    """Equal, numbers within `TOLERANCE` of each other."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _at(values: Sequence[Any], row: int) -> Any:
    return values[row] if row < len(values) else None


def _said(value: Any) -> str:
    return "no answer" if value is None else f"“{value}”"
