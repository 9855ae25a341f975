"""The workspace itself: what it can do, what keeps it going, what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Capability(StrEnum):
    """What only some back ends can do; a page asks before it offers."""

    SAMPLE_DATASETS = "sample datasets"
    INSPECT_SOURCE = "inspect a file before registering it"
    AUTOML_TRAINING = "start AutoML from the dashboard"
    PUBLISH_PIPELINE = "publish a pipeline from the dashboard"
    WHOLE_FLOW = "run the whole flow"
    TELEMETRY_QUERY = "query telemetry"
    BATCH_INFERENCE = "batch inference"
    SCHEDULE_LEDGER = "record missed firings"
    ALERTS = "notice trouble by itself"
    DELETE_SCHEDULE = "delete a schedule"
    EVALUATION = "look at a model's predictions"
    PAUSE_SCHEDULES = "pause schedules until a time"
    RETRY_PIPELINE_RUNS = "retry failed pipeline runs by itself"
    RETRAINING_LOOP = "hold a retrained model until somebody approves it"


class ComponentState(StrEnum):
    RUNNING = "Running"
    STARTING = "Starting"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the workspace that works in the background."""

    name: str  # "supervisor", "telemetry server"
    state: ComponentState
    detail: str = ""  # one sentence: since when, or why not and what to do
    since: datetime | None = None


class StepOutcome(StrEnum):
    PASSED = "Passed"
    FAILED = "Failed"
    PARTLY = "Partly"  # some of it works
    NOT_TRIED = "Not tried"  # an earlier step failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStep:
    """One step on the way to a workspace that lives elsewhere, as it was just tried."""

    title: str
    outcome: StepOutcome
    detail: str  # what was found, or what to do
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The end of a log. Whoever shows it says how much of the log it is."""

    text: str
    line_count: int
    limit: int  # how many lines were asked for at most
    complete: bool  # the text is the whole log


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One change somebody made."""

    at: datetime
    actor: str
    action: str  # "deployment.create", "schedule.disable"
    subject: str  # "deployment/bank"
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
