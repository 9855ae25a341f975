"""Why a chart of telemetry is empty: one reason, from what is known. Pure.

An empty chart looks the same whether nobody called, recording is off, or the rows went
elsewhere; what to do next differs each time.

Source: learn.microsoft.com, "Troubleshoot missing application telemetry in Azure Monitor".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from services.domain import Deployment
from services.errors import AccessDeniedError, NotFoundError, ServiceError, SignInError

if TYPE_CHECKING:
    import pandas as pd

LOOK_BACK = timedelta(days=30)  # how far what arrived is looked at
LATE = 6  # times the usual delay: what has not arrived by then went elsewhere


class Absence(StrEnum):
    """The reasons, each with another next step."""

    NOTHING_DEPLOYED = "nothing deployed"
    NOT_DEPLOYED = "not deployed"
    TELEMETRY_OFF = "telemetry off"
    NO_TRAFFIC = "no traffic"
    WRONG_RESOURCE = "wrong resource"
    NOT_SIGNED_IN = "not signed in"
    NO_PERMISSION = "no permission"
    NOT_ARRIVED_YET = "not arrived yet"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What one deployment left in the resource lately."""

    deployment: str
    request_count: int  # what the rows stand for
    row_count: int
    last_seen: datetime

    @property
    def sampled(self) -> bool:
        """Whether some rows stand for several requests."""
        return self.row_count < self.request_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known when a chart has nothing to show."""

    now: datetime
    deployments: Sequence[Deployment]
    deployment: str | None = None  # the one looked at; None for all
    arrivals: Sequence[Arrival] = ()  # within `LOOK_BACK`
    sent_at: datetime | None = None  # the newest request known to have been sent, in the window
    arrival_delay: timedelta = timedelta(seconds=5)
    sampled_pct: float = 100.0
    error: ServiceError | None = None  # why nothing could be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The reason, and what belongs to it."""

    reason: Absence
    at: datetime | None = None  # last seen, or sent: what the reason speaks of


def why(evidence: Evidence) -> Finding:
    """The first reason that holds.

    Raises:
        ServiceError: `evidence.error`, where it says nothing about the data.
    """
    refusal = _refusal(evidence.error)
    if refusal is not None:
        return Finding(reason=refusal)
    named = [each for each in evidence.deployments if evidence.deployment in (None, each.name)]
    if not named:
        chosen = evidence.deployment is not None
        return Finding(reason=Absence.NOT_DEPLOYED if chosen else Absence.NOTHING_DEPLOYED)
    recorded = [each.name for each in named if each.telemetry_enabled]
    if not recorded:
        return Finding(reason=Absence.TELEMETRY_OFF)
    ours = [each for each in evidence.arrivals if each.deployment in recorded]
    last_seen = max((each.last_seen for each in ours), default=None)
    if evidence.sent_at is None:
        return Finding(reason=Absence.NO_TRAFFIC, at=last_seen)
    return Finding(reason=_of_what_was_sent(evidence, ours), at=evidence.sent_at)


def _refusal(error: ServiceError | None) -> Absence | None:
    if isinstance(error, SignInError):
        return Absence.NOT_SIGNED_IN
    if isinstance(error, AccessDeniedError):
        return Absence.NO_PERMISSION
    if isinstance(error, NotFoundError):
        return Absence.WRONG_RESOURCE
    if error is not None:
        raise error
    return None


def _of_what_was_sent(evidence: Evidence, ours: Sequence[Arrival]) -> Absence:
    """Requests were made in the window, and none of them is in the resource."""
    assert evidence.sent_at is not None
    waited = evidence.now - evidence.sent_at
    if waited < evidence.arrival_delay:
        return Absence.NOT_ARRIVED_YET
    if evidence.sampled_pct < 100.0 or any(each.sampled for each in ours):
        return Absence.SAMPLED
    if any(each.last_seen >= evidence.sent_at for each in ours):
        return Absence.NOT_ARRIVED_YET  # not when the chart was drawn
    late = waited > LATE * evidence.arrival_delay
    return Absence.WRONG_RESOURCE if late else Absence.NOT_ARRIVED_YET


def arrivals(frame: pd.DataFrame) -> tuple[Arrival, ...]:
    """From the answer to `Panel.ARRIVALS`."""
    return tuple(
        Arrival(
            deployment=row["service"],
            request_count=int(row["requests"]),
            row_count=int(row["rows"]),
            last_seen=row["last_seen"].to_pydatetime(),
        )
        for row in frame.to_dict("records")
    )
