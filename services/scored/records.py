"""What is remembered of a scored request, and the port that remembers it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.domain import ScoringAnswer

REMEMBERED = 500  # requests without a name, per workspace; older ones are forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRequest:
    """One request and its answer. No key is part of either."""

    id: str
    deployment: str
    model_id: str  # what answered; empty when nothing is known about it
    payload: str
    answer: ScoringAnswer
    sent_at: datetime
    name: str = ""  # given by the operator: a named one is kept until it is deleted
    expected: tuple[Any, ...] | None = None  # results that are right: a case of the golden set
    of: str = ""  # the request this one repeats

    @property
    def golden(self) -> bool:
        return self.expected is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that two answers to the same payload disagree on."""

    row: int  # counted from 1
    before: Any
    after: Any
    before_probabilities: Mapping[str, float] = field(default_factory=dict)
    after_probabilities: Mapping[str, float] = field(default_factory=dict)


class ScoredRequests(ABC):
    """The requests made from this dashboard. Kept by the dashboard, wherever models are served."""

    @abstractmethod
    def list(self, deployment: str | None = None, *, limit: int = 200) -> tuple[ScoredRequest, ...]:
        """Newest first, of one deployment or of all; named ones beyond `limit` too."""

    @abstractmethod
    def get(self, request_id: str) -> ScoredRequest:
        """Raises NotFoundError: nothing is remembered under this id."""

    @abstractmethod
    def remember(
        self, deployment: str, model_id: str, payload: str, answer: ScoringAnswer, *, of: str = ""
    ) -> ScoredRequest:
        """Add one exchange; the oldest nameless ones make room."""

    @abstractmethod
    def name(self, request_id: str, name: str) -> ScoredRequest:
        """Keep it under this name; an empty name lets it go with time.

        Raises:
            NotFoundError: nothing is remembered under this id.
            InvalidRequestError: it is a golden case, which cannot do without a name.
        """

    @abstractmethod
    def expect(self, request_id: str, results: Sequence[Any] | None) -> ScoredRequest:
        """Make it a golden case with these results, or none when None.

        Raises:
            NotFoundError: nothing is remembered under this id.
            InvalidRequestError: it has no name, or not one result per row.
        """

    @abstractmethod
    def delete(self, request_id: str) -> None:
        """Forget it. Deleting what is already gone succeeds."""
