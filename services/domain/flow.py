"""The whole flow, from dataset to schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FlowStepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One of the steps from a dataset to a schedule, as the flow performs it."""

    key: str  # "dataset", "training", "deployment", "telemetry", "scoring", "benchmark", "schedule"
    title: str
    state: FlowStepState
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result_id: str = ""  # what it made: a dataset id, a run id, a deployment name …


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowProgress:
    steps: tuple[FlowStep, ...]
    started_at: datetime | None
    ended_at: datetime | None
    error: str = ""

    @property
    def running(self) -> bool:
        return self.started_at is not None and self.ended_at is None
