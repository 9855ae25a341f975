"""Alerting as it is kept: incidents, rules, channels and messages in the workspace's store."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from services.alerts import addresses
from services.alerts import quiet as quiet_rules
from services.alerts import rules as catalog
from services.alerts.incidents import worst_first
from services.alerts.ports import Alerts
from services.alerts.records import (
    AlertRule,
    Channel,
    ChannelKind,
    Delivery,
    Event,
    Incident,
    QuietHours,
)
from services.errors import NotFoundError
from services.local import alert_rows as rows
from services.local import audit
from services.local.alert_secrets import ChannelSecrets
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp

NOTE_LIMIT = 500


class LocalAlerts(Alerts):
    """The watcher decides and sends; here is what it decided and what it is told."""

    def __init__(
        self, home: Path, store: Store, *, workspace: str = "", clock: Clock = utc_now
    ) -> None:
        """
        Args:
            workspace: of which workspace that lives elsewhere; empty: this one.
        """
        self._store, self._clock, self._workspace = store, clock, workspace
        self._secrets = ChannelSecrets(home)

    # --- incidents ---

    def incidents(self, *, limit: int = 200) -> tuple[Incident, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM incidents WHERE workspace = ? AND resolved_at IS NULL",
                (self._workspace,),
            ).fetchall()
            found += db.execute(
                "SELECT * FROM incidents WHERE workspace = ? AND resolved_at IS NOT NULL"
                " ORDER BY resolved_at DESC LIMIT ?",
                (self._workspace, limit),
            ).fetchall()
        return worst_first([rows.incident(row) for row in found])

    def acknowledge(self, incident_id: str, *, note: str = "") -> None:
        after = {"note": note.strip()[:NOTE_LIMIT]}
        with self._store.transaction() as db:
            self._change_incident(
                db,
                incident_id,
                "incident.acknowledge",
                {
                    "acknowledged_at": stamp(self._clock()),
                    "acknowledged_by": audit.account(),
                    "note": after["note"],
                },
                after,
            )

    def silence(self, incident_id: str, until: datetime | None) -> None:
        action = "incident.silence" if until else "incident.unsilence"
        with self._store.transaction() as db:
            silenced = {"silenced_until": stamp(until)}
            self._change_incident(db, incident_id, action, silenced, silenced)

    def _change_incident(
        self,
        db: sqlite3.Connection,
        incident_id: str,
        action: str,
        changes: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        assignments = ", ".join(f"{column} = ?" for column in changes)
        changed = db.execute(
            f"UPDATE incidents SET {assignments} WHERE id = ? AND workspace = ?",
            (*changes.values(), incident_id, self._workspace),
        ).rowcount
        if not changed:
            raise NotFoundError("incident", incident_id)
        self._audit(db, action, f"incident/{incident_id}", after=after)

    def evaluated_at(self) -> datetime | None:
        return instant(self._store.setting(self._setting("evaluated_at")))

    def unanswered(self) -> tuple[str, ...]:
        return tuple(json.loads(self._store.setting(self._setting("unanswered")) or "[]"))

    # --- rules ---

    def rules(self) -> tuple[AlertRule, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM alert_rules WHERE workspace = ?", (self._workspace,)
            ).fetchall()
        return tuple(catalog.with_defaults(map(rows.rule, found)).values())

    def set_rule(self, rule: AlertRule) -> None:
        catalog.check(rule)
        before = next(each for each in self.rules() if each.key == rule.key)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO alert_rules (workspace, key, enabled, severity, parameters)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    self._workspace,
                    rule.key,
                    rule.enabled,
                    rule.severity,
                    json.dumps(dict(rule.values)),
                ),
            )
            self._audit(
                db, "alert.rule", f"rule/{rule.key}", before=_rule(before), after=_rule(rule)
            )

    def quiet_hours(self) -> QuietHours:
        return rows.quiet(self._store.setting(self._setting("quiet_hours")))

    def set_quiet_hours(self, quiet: QuietHours) -> None:
        quiet_rules.check(quiet)
        text = rows.quiet_json(quiet)
        before = rows.quiet_json(self.quiet_hours())
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
                (self._setting("quiet_hours"), text),
            )
            self._audit(
                db,
                "alert.quiet_hours",
                "alerts/quiet hours",
                before=json.loads(before),
                after=json.loads(text),
            )

    # --- channels ---

    def channels(self) -> tuple[Channel, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM alert_channels WHERE workspace = ? ORDER BY created_at, id",
                (self._workspace,),
            ).fetchall()
        return tuple(rows.channel(row, has_secret=self._secrets.has(row["id"])) for row in found)

    def save_channel(self, channel: Channel, *, secret: str | None = None) -> Channel:
        known = {each.id: each for each in self.channels()}
        if channel.id and channel.id not in known:
            raise NotFoundError("alert channel", channel.name)
        before = known.get(channel.id)
        given = secret.strip() if secret else None
        # Another kind needs another secret; a webhook's address is no password.
        kept = before is not None and before.has_secret and before.kind is channel.kind
        channel = replace(channel, has_secret=kept, id=channel.id or str(uuid.uuid4()))
        if before is not None and channel.kind is ChannelKind.WEBHOOK and not given:
            channel = replace(channel, target=before.target)
        channel = addresses.checked(channel, given)
        if given:
            self._secrets.write(channel.id, given)
        elif before is not None and not kept:
            self._secrets.delete(channel.id)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO alert_channels (id, workspace, created_at, enabled, settings)"
                " VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled,"
                " settings = excluded.settings",
                (
                    channel.id,
                    self._workspace,
                    stamp(self._clock()),
                    channel.enabled,
                    json.dumps(rows.channel_settings(channel)),
                ),
            )
            self._audit(
                db,
                "alert.channel",
                f"channel/{channel.name}",
                before=_channel(before),
                after={**_channel(channel), **({"secret": "changed"} if given else {})},
            )
        return replace(channel, has_secret=self._secrets.has(channel.id))

    def delete_channel(self, channel_id: str) -> None:
        known = next((each for each in self.channels() if each.id == channel_id), None)
        if known is None:
            return
        with self._store.transaction() as db:
            db.execute("DELETE FROM alert_channels WHERE id = ?", (channel_id,))
            self._audit(db, "alert.channel.delete", f"channel/{known.name}", before=_channel(known))
        self._secrets.delete(channel_id)

    def begin_test(self, channel_id: str) -> int:
        now = stamp(self._clock())
        known = next((each for each in self.channels() if each.id == channel_id), None)
        if known is None:
            raise NotFoundError("alert channel", channel_id)
        with self._store.transaction() as db:
            made = db.execute(
                "INSERT INTO alert_messages (workspace, channel_id, event, created_at, due_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (self._workspace, channel_id, Event.TEST, now, now),
            ).lastrowid
            self._audit(db, "alert.channel.test", f"channel/{known.name}")
        assert made is not None
        return made

    def deliveries(self, *, limit: int = 100) -> tuple[Delivery, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT alert_messages.*, alert_channels.settings, incidents.title"
                " FROM alert_messages JOIN alert_channels ON alert_channels.id = channel_id"
                " LEFT JOIN incidents ON incidents.id = incident_id"
                " WHERE alert_messages.workspace = ? ORDER BY alert_messages.id DESC LIMIT ?",
                (self._workspace, limit),
            ).fetchall()
        return tuple(map(rows.delivery, found))

    def _setting(self, name: str) -> str:
        return f"alerts.{name}" if not self._workspace else f"alerts.{name}.{self._workspace}"

    def _audit(
        self,
        db: sqlite3.Connection,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        audit.record(
            db,
            action=action,
            subject=subject,
            before=before,
            after=after,
            workspace=self._workspace,
        )


def _rule(rule: AlertRule) -> dict[str, Any]:
    return {"enabled": rule.enabled, "severity": rule.severity, **rule.values}


def _channel(channel: Channel | None) -> dict[str, Any]:
    if channel is None:
        return {}
    return {"enabled": channel.enabled, **rows.channel_settings(channel)}
