"""Reads about alerting, remembered like those of `reads`."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard import choices, session
from dashboard.memory import remembered
from dashboard.reads import DESK
from dashboard.settings import WATCH
from services.alerts.records import (
    AlertRule,
    Band,
    BandCheck,
    Channel,
    Delivery,
    Incident,
    Probe,
    ProbeResult,
    QuietHours,
)

STALE_AFTER = timedelta(minutes=2)


@remembered(DESK)
def incidents() -> tuple[Incident, ...]:
    return session.workspace().alerts.incidents()


@remembered(DESK)
def evaluated() -> tuple[datetime | None, tuple[str, ...]]:
    """When the rules were last applied, and what did not answer then."""
    port = session.workspace().alerts
    return port.evaluated_at(), port.unanswered()


def stale_after() -> timedelta:
    """Since when the rules must have been applied for the list of incidents to mean much."""
    if session.workspace().backend == "local":
        return STALE_AFTER  # the watcher says every half minute that it looked
    return max(STALE_AFTER, timedelta(seconds=3 * choices.settings().watch_every_s))


def unwatched() -> str:
    """Why nobody may be looking, and where to see it."""
    if session.workspace().backend == "local":
        return "The watcher runs with the supervisor; its log is watcher.log in the home folder."
    if not choices.settings().watch_every_s:
        return f"{WATCH} is 0: this workspace is not watched."
    return (
        "The watcher of an Azure workspace runs for as long as python -m dashboard does; its log "
        "is logs/watcher-azure.log in the home folder."
    )


@remembered(DESK)
def rules() -> tuple[AlertRule, ...]:
    return session.workspace().alerts.rules()


@remembered(DESK)
def quiet_hours() -> QuietHours:
    return session.workspace().alerts.quiet_hours()


@remembered(DESK)
def channels() -> tuple[Channel, ...]:
    return session.workspace().alerts.channels()


@remembered(DESK)
def deliveries() -> tuple[Delivery, ...]:
    return session.workspace().alerts.deliveries()


@remembered(DESK)
def bands(experiment: str) -> tuple[Band, ...]:
    return session.workspace().bands.list(experiment)


@remembered(DESK)
def band_checks(experiment: str) -> tuple[BandCheck, ...]:
    return session.workspace().bands.checks(experiment)


@remembered(DESK)
def probes() -> tuple[Probe, ...]:
    return session.workspace().probes.list()


@remembered(DESK)
def probe_results(deployment: str) -> tuple[ProbeResult, ...]:
    return session.workspace().probes.results(deployment)
