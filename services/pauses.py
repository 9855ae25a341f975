"""What a pause of schedules must say, and where those of another workspace are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from services.domain import Pause
from services.errors import InvalidRequestError

LONGEST = timedelta(days=366)  # a longer one was forgotten: disable the schedule instead


def check(reason: str, until: datetime, *, now: datetime) -> None:
    """Refuse a pause that says nothing or would not end.

    Raises:
        InvalidRequestError: what is wrong with it.
    """
    if not reason.strip():
        raise InvalidRequestError("Say why the schedules are paused: others will wonder.")
    if until <= now:
        raise InvalidRequestError("The time to resume is in the past; choose a later one.")
    if until - now > LONGEST:
        raise InvalidRequestError(
            "A pause lasts a year at most; disable a schedule to stop it for good."
        )


class Ending(StrEnum):
    """How a pause ended."""

    RESUMED = "resumed"  # at its time, by whoever watches the workspace
    ENABLED = "enabled"  # by somebody, here or elsewhere
    DISABLED = "disabled"  # by somebody, for good
    REFUSED = "refused"  # the schedule was never disabled
    GONE = "gone"  # there is no such schedule any more


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPause:
    """One pause of one schedule that lives elsewhere."""

    id: int
    schedule_id: str
    name: str  # of the schedule
    pause: Pause
    disabled_at: datetime | None = None  # None: nobody knows whether that was heard
    tried_at: datetime | None = None  # when it was last asked to go on
    ended_at: datetime | None = None
    ending: Ending | None = None


class Pauses(Protocol):
    """A schedule is in one pause at a time. Every method is atomic."""

    def open(self) -> Mapping[str, KeptPause]:
        """Schedule id → the pause it is in."""

    def of(self, schedule_id: str) -> tuple[KeptPause, ...]:
        """All it has been in, newest first."""

    def begin(
        self, names: Mapping[str, str], *, reason: str, until: datetime
    ) -> tuple[KeptPause, ...]:
        """One for each, in their order; of a schedule that is in one already, the reason and
        the end change.

        Args:
            names: of the schedules, by id.
        """

    def disabled(self, pause_id: int) -> None:
        """The schedule does not fire from here on."""

    def claim(self, kept: KeptPause) -> bool:
        """Whether the caller is the one who resumes it now; False: decided otherwise."""

    def hold(self, pause_id: int, problem: str) -> None:
        """It could not be resumed, and why."""

    def end(self, pause_id: int, ending: Ending, *, until: datetime | None = None) -> bool:
        """Noted once, False when it had ended; in the audit log where nobody asked for it.

        Args:
            until: nothing is done if it has been moved to end at another time.
        """
