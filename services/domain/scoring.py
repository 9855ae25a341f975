"""What a deployment answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringAnswer:
    """What came back for one payload, after the retries it took."""

    status: int | None  # HTTP status of the last attempt; None when nobody answered
    ok: bool  # 2xx and the body is a result, not an error message
    body: str  # as received
    results: tuple[Any, ...]  # one per row when ok
    probabilities: tuple[Mapping[str, float], ...]  # one per row, where the model gives them
    error: str  # one sentence when not ok
    attempts: int
    duration_ms: float  # the last attempt, measured at the caller
    run_ms: float | None  # inside run(), as the server reports it
    request_id: str | None
    sent_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)  # of the answer
