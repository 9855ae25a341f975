"""When pipelines run by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.domain.pipelines import AssetStatus, PipelineRun


class Frequency(StrEnum):
    MINUTE = "Minute"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


class WeekDay(StrEnum):
    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Every `interval` of `frequency`, from `start_time`, in `time_zone`.

    Source: azureml-pipeline-core 1.62.0, ``ScheduleRecurrence``.
    """

    frequency: Frequency
    interval: int = 1
    start_time: datetime | None = None  # naive, local to `time_zone`; None: fires at once
    time_zone: str = "UTC"  # an IANA name; the Azure adapter translates to Windows names
    hours: tuple[int, ...] = ()  # Day and Week only
    minutes: tuple[int, ...] = ()  # Day and Week only
    week_days: tuple[WeekDay, ...] = ()  # Week only


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why a schedule stands still, and when it goes on by itself."""

    reason: str
    paused_at: datetime
    paused_by: str
    until: datetime
    problem: str = ""  # why it did not go on when it should have; that is tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which a schedule was Active with the recurrence it has now."""

    start: datetime
    end: datetime | None  # None: it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a published pipeline is submitted."""

    id: str
    name: str
    status: AssetStatus
    recurrence: Recurrence  # means nothing where `irregular` says why
    experiment: str
    pipeline_id: str | None  # one of the two is set
    pipeline_endpoint_id: str | None = None
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    changed_at: datetime | None = None  # since when it is as it is; None: not known
    next_fire_at: datetime | None = None  # None when Disabled
    last_run: PipelineRun | None = None
    irregular: str = ""  # why no recurrence says when it fires: changed data, or an unreadable one
    pause: Pause | None = None  # it is Disabled for a while only
    known_since: datetime | None = None  # what it was earlier is not known; None: see changed_at
    stretches: tuple[Stretch, ...] = ()  # since then, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One due time of a schedule and what became of it."""

    due_at: datetime
    fired_at: datetime | None  # None: missed
    run_id: str | None
    missed_count: int = 0  # earlier due times that collapsed into this one
    reason: str = ""  # why nothing was submitted, when there is no run
