"""Reads about alerting, remembered like those of `reads`."""

from __future__ import annotations

from datetime import datetime

from dashboard import session
from dashboard.memory import remembered
from dashboard.reads import DESK
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


@remembered(DESK)
def incidents() -> tuple[Incident, ...]:
    return session.workspace().alerts.incidents()


@remembered(DESK)
def evaluated() -> tuple[datetime | None, tuple[str, ...]]:
    """When the rules were last applied, and what did not answer then."""
    port = session.workspace().alerts
    return port.evaluated_at(), port.unanswered()


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
