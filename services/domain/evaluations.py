"""What models predict for rows they have not learnt from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.runs import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPlan:
    """Which predictions to look at, and on which rows."""

    model_id: str
    against: str | None = None  # the model it is held against
    dataset_id: str | None = None  # None: the rows that training held out

    @property
    def id(self) -> str:
        """The same question has the same id: its answer never changes."""
        asked = "\n".join((self.model_id, self.against or "", self.dataset_id or ""))
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How a challenger's metric differs from a champion's on the same rows."""

    metric: str
    champion: float
    challenger: float
    low: float  # of challenger − champion, 95 % interval
    high: float
    row_count: int
    verdict: Verdict  # of the challenger
    method: str  # how the interval was made, for people
    reason: str = ""  # why nothing can be told, where the interval alone does not say

    @property
    def value(self) -> float:
        return self.challenger - self.champion


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """A metric on the rows that share a value, or a range of values, of one column."""

    column: str
    label: str
    row_count: int
    value: float | None  # None where these rows do not define it
    thin: bool  # too few rows to be ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model's predictions were found to be worth."""

    id: str
    plan: EvaluationPlan
    status: RunStatus
    created_at: datetime
    ended_at: datetime | None = None
    error: str = ""  # one sentence, when Failed
    rows: str = ""  # which rows these are, for people
    row_count: int = 0
    metric: str = ""
    value: float | None = None  # of the model, on all these rows
    difference: Difference | None = None  # where it was held against another
    slices: tuple[SliceScore, ...] = ()  # of the model; those of one column add up to all rows
