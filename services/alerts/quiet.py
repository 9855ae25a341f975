"""Quiet hours (pure): until when a message waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.alerts.records import QuietHours
from services.attention import Severity
from services.errors import InvalidRequestError


def check(quiet: QuietHours) -> None:
    """Refuse hours nobody can keep.

    Raises:
        InvalidRequestError: the time zone is unknown, or no day or no time is left.
    """
    try:
        ZoneInfo(quiet.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidRequestError(
            f"“{quiet.time_zone}” is no time zone; write it like Europe/Berlin."
        ) from error
    if quiet.enabled and not quiet.days:
        raise InvalidRequestError("Choose at least one day, or turn quiet hours off.")
    if quiet.enabled and quiet.start == quiet.end:
        raise InvalidRequestError("Quiet hours begin and end at different times.")


def until(quiet: QuietHours, at: datetime, severity: Severity) -> datetime | None:
    """The instant at which a message of this severity may be sent; None: at once."""
    if not quiet.enabled or (severity is Severity.CRITICAL and quiet.critical_passes):
        return None
    zone = ZoneInfo(quiet.time_zone)
    today = at.astimezone(zone).date()
    crosses = quiet.end <= quiet.start
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in quiet.days:
            continue
        begins = datetime.combine(day, quiet.start, zone).astimezone(UTC)
        last_day = day + timedelta(days=1) if crosses else day
        ends = datetime.combine(last_day, quiet.end, zone).astimezone(UTC)
        if begins <= at < ends:
            return ends
    return None
