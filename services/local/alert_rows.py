"""Rows of the alert tables as records, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from services.alerts.records import (
    AlertRule,
    Band,
    BandCheck,
    Channel,
    ChannelKind,
    Delivery,
    Event,
    Incident,
    MailSecurity,
    Probe,
    ProbeResult,
    QuietHours,
    Verdict,
    WebhookFormat,
)
from services.attention import Severity
from services.local.store import instant, stamp

INCIDENT = (
    "id", "rule", "cause", "severity", "title", "detail", "page", "address", "since",
    "opened_at", "resolved_at", "resolution",
)  # fmt: skip


def given(text: str) -> datetime:
    """The instant of a column that is never NULL."""
    at = instant(text)
    assert at is not None
    return at


def incident(row: sqlite3.Row) -> Incident:
    return Incident(
        id=row["id"],
        rule=row["rule"],
        cause=row["cause"],
        severity=Severity(row["severity"]),
        title=row["title"],
        detail=row["detail"],
        page=row["page"],
        address=json.loads(row["address"]),
        since=instant(row["since"]),
        opened_at=given(row["opened_at"]),
        resolved_at=instant(row["resolved_at"]),
        resolution=row["resolution"],
        acknowledged_at=instant(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        note=row["note"],
        silenced_until=instant(row["silenced_until"]),
    )


def incident_values(record: Incident) -> tuple[Any, ...]:
    """Of the columns `INCIDENT`."""
    return (
        record.id,
        record.rule,
        record.cause,
        record.severity,
        record.title,
        record.detail,
        record.page,
        json.dumps(dict(record.address)),
        stamp(record.since),
        stamp(record.opened_at),
        stamp(record.resolved_at),
        record.resolution,
    )


def rule(row: sqlite3.Row) -> AlertRule:
    return AlertRule(
        key=row["key"],
        enabled=bool(row["enabled"]),
        severity=Severity(row["severity"]),
        values={str(name): float(value) for name, value in json.loads(row["parameters"]).items()},
    )


def channel(row: sqlite3.Row, *, has_secret: bool) -> Channel:
    kept = json.loads(row["settings"])
    return Channel(
        id=row["id"],
        name=kept["name"],
        kind=ChannelKind(kept["kind"]),
        enabled=bool(row["enabled"]),
        least=Severity(kept["least"]),
        target=kept["target"],
        format=WebhookFormat(kept["format"]),
        host=kept["host"],
        port=kept["port"],
        security=MailSecurity(kept["security"]),
        sender=kept["sender"],
        recipients=tuple(kept["recipients"]),
        username=kept["username"],
        has_secret=has_secret,
    )


def channel_settings(record: Channel) -> dict[str, Any]:
    """What is kept of a channel, and shown in the audit log."""
    return {
        "name": record.name,
        "kind": record.kind,
        "least": record.least,
        "target": record.target,
        "format": record.format,
        "host": record.host,
        "port": record.port,
        "security": record.security,
        "sender": record.sender,
        "recipients": list(record.recipients),
        "username": record.username,
    }


def delivery(row: sqlite3.Row) -> Delivery:
    """Of a message joined with its channel's settings and its incident's title."""
    return Delivery(
        id=row["id"],
        channel_id=row["channel_id"],
        channel=json.loads(row["settings"])["name"],
        event=Event(row["event"]),
        incident_id=row["incident_id"],
        title=row["title"] or "",
        created_at=given(row["created_at"]),
        due_at=given(row["due_at"]),
        attempts=row["attempts"],
        sent_at=instant(row["sent_at"]),
        gave_up_at=instant(row["gave_up_at"]),
        error=row["error"],
    )


def quiet_json(quiet: QuietHours) -> str:
    return json.dumps(
        {
            "enabled": quiet.enabled,
            "start": quiet.start.isoformat(),
            "end": quiet.end.isoformat(),
            "days": list(quiet.days),
            "time_zone": quiet.time_zone,
            "critical_passes": quiet.critical_passes,
        }
    )


def quiet(text: str | None) -> QuietHours:
    if text is None:
        return QuietHours()
    kept: Mapping[str, Any] = json.loads(text)
    return QuietHours(
        enabled=kept["enabled"],
        start=time.fromisoformat(kept["start"]),
        end=time.fromisoformat(kept["end"]),
        days=tuple(kept["days"]),
        time_zone=kept["time_zone"],
        critical_passes=kept["critical_passes"],
    )


def band(row: sqlite3.Row) -> Band:
    return Band(
        experiment=row["experiment"],
        metric=row["metric"],
        fail_below=row["fail_below"],
        warn_below=row["warn_below"],
        warn_above=row["warn_above"],
        fail_above=row["fail_above"],
    )


def band_limits(record: Band) -> tuple[float | None, ...]:
    return (record.fail_below, record.warn_below, record.warn_above, record.fail_above)


def band_check(row: sqlite3.Row) -> BandCheck:
    return BandCheck(
        run_id=row["run_id"],
        band=band(row),
        value=row["value"],
        verdict=Verdict(row["verdict"]),
        at=given(row["at"]),
    )


def probe(row: sqlite3.Row) -> Probe:
    return Probe(
        deployment=row["deployment"],
        enabled=bool(row["enabled"]),
        interval_s=row["interval_s"],
        payload=row["payload"],
    )


def probe_result(row: sqlite3.Row) -> ProbeResult:
    return ProbeResult(
        deployment=row["deployment"],
        at=given(row["at"]),
        ok=bool(row["ok"]),
        duration_ms=row["duration_ms"],
        reason=row["reason"],
        request_id=row["request_id"],
        root_ok=bool(row["root_ok"]),
    )
