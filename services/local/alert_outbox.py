"""What the watcher writes: incidents as they open and end, and the messages about them.

An incident and its messages are written in one transaction, so that a crash forgets neither
and doubles neither. A message is claimed before it is sent and marked once it was taken: a
crash in between sends it again, with the id it had, by which its receiver knows it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.alerts import quiet as quiet_rules
from services.alerts.incidents import ORDER, Decision
from services.alerts.records import BandCheck, Event, Incident, QuietHours, Source
from services.attention import Severity
from services.local import alert_rows as rows
from services.local.bands import LocalMetricBands
from services.local.store import Store, stamp

PAUSES = tuple(timedelta(seconds=each) for each in (10, 60, 300, 900, 1800))
KEPT_FOR = timedelta(days=90)
TELL_EVERY = timedelta(seconds=30)
CLAIMED_FOR = timedelta(seconds=20)  # one thread sends: only a crash leaves a claim behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message to send now."""

    id: int
    channel_id: str
    event: Event
    incident: Incident | None  # None: a test
    attempts: int  # this one included
    created_at: datetime


class Outbox:
    """Only the watcher of a workspace has one."""

    def __init__(self, store: Store, *, workspace: str = "") -> None:
        self._store, self._workspace = store, workspace
        self._bands = LocalMetricBands(store.path.parent, store, workspace=workspace)
        self._unanswered = ""
        self._told_at = datetime.min.replace(tzinfo=UTC)

    def open_incidents(self) -> tuple[Incident, ...]:
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM incidents WHERE workspace = ? AND resolved_at IS NULL",
                (self._workspace,),
            ).fetchall()
        return tuple(map(rows.incident, found))

    def apply(self, decision: Decision, quiet: QuietHours, *, now: datetime) -> None:
        """Write what was decided, with the messages it calls for. Writes nothing for nothing."""
        if not (decision.opened or decision.changed or decision.resolved):
            return
        with self._store.transaction() as db:
            for incident in decision.opened:
                self._open(db, incident, quiet, now)
            for incident in decision.changed:
                self._change(db, incident, quiet, now)
            for incident in decision.resolved:
                self._resolve(db, incident, quiet, now)

    def _open(
        self, db: sqlite3.Connection, incident: Incident, quiet: QuietHours, now: datetime
    ) -> None:
        marks = ", ".join("?" * len(rows.INCIDENT))
        db.execute(
            f"INSERT INTO incidents ({', '.join(rows.INCIDENT)}, workspace) VALUES ({marks}, ?)",
            (*rows.incident_values(incident), self._workspace),
        )
        self._announce(db, incident, quiet, now)

    def _announce(
        self, db: sqlite3.Connection, incident: Incident, quiet: QuietHours, now: datetime
    ) -> None:
        """Tell every channel that wants to know and has not been told."""
        due = quiet_rules.until(quiet, now, incident.severity) or now
        for channel in self._wanting(db, incident.severity):
            self._put(db, incident.id, channel, Event.OPENED, now, due)

    def _change(
        self, db: sqlite3.Connection, incident: Incident, quiet: QuietHours, now: datetime
    ) -> None:
        before = db.execute(
            "SELECT severity FROM incidents WHERE id = ?", (incident.id,)
        ).fetchone()
        db.execute(
            "UPDATE incidents SET rule = ?, severity = ?, title = ?, detail = ?, page = ?,"
            " address = ? WHERE id = ? AND resolved_at IS NULL",
            (
                incident.rule,
                incident.severity,
                incident.title,
                incident.detail,
                incident.page,
                json.dumps(dict(incident.address)),
                incident.id,
            ),
        )
        if ORDER.index(incident.severity) < ORDER.index(Severity(before["severity"])):
            self._announce(db, incident, quiet, now)  # those it was not serious enough for

    def _resolve(
        self, db: sqlite3.Connection, incident: Incident, quiet: QuietHours, now: datetime
    ) -> None:
        done = db.execute(
            "UPDATE incidents SET resolved_at = ?, resolution = ?"
            " WHERE id = ? AND resolved_at IS NULL",
            (stamp(incident.resolved_at), incident.resolution, incident.id),
        ).rowcount
        if not done:
            return
        # Nobody who was not told needs to hear that it is over.
        db.execute(
            "DELETE FROM alert_messages WHERE incident_id = ? AND event = ?"
            " AND sent_at IS NULL AND attempts = 0",
            (incident.id, Event.OPENED),
        )
        told = db.execute(
            "SELECT channel_id, due_at FROM alert_messages"
            " WHERE incident_id = ? AND event = ? AND gave_up_at IS NULL",
            (incident.id, Event.OPENED),
        ).fetchall()
        due = quiet_rules.until(quiet, now, incident.severity) or now
        for row in told:
            self._put(db, incident.id, row["channel_id"], Event.RESOLVED, now, due)

    def _wanting(self, db: sqlite3.Connection, severity: Severity) -> Iterable[str]:
        found = db.execute(
            "SELECT id, settings FROM alert_channels WHERE workspace = ? AND enabled",
            (self._workspace,),
        ).fetchall()
        for row in found:
            least = Severity(json.loads(row["settings"])["least"])
            if ORDER.index(severity) <= ORDER.index(least):
                yield row["id"]

    def _put(
        self,
        db: sqlite3.Connection,
        incident_id: str,
        channel_id: str,
        event: Event,
        now: datetime,
        due: datetime,
    ) -> None:
        db.execute(
            "INSERT OR IGNORE INTO alert_messages"
            " (workspace, channel_id, incident_id, event, created_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (self._workspace, channel_id, incident_id, event, stamp(now), stamp(due)),
        )

    def record_checks(self, found: Iterable[BandCheck]) -> None:
        """Keep what came of runs that were held against their bands."""
        self._bands.record(found)

    def evaluated(self, missing: frozenset[Source], *, now: datetime) -> None:
        """Say when the rules were last applied. Not at every look: each write wakes others."""
        unanswered = json.dumps(sorted(missing))
        fresh = timedelta(0) <= now - self._told_at < TELL_EVERY  # the clock may be set back
        if unanswered == self._unanswered and fresh:
            return
        suffix = f".{self._workspace}" if self._workspace else ""
        with self._store.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
                [
                    (f"alerts.evaluated_at{suffix}", stamp(now)),
                    (f"alerts.unanswered{suffix}", unanswered),
                ],
            )
        self._unanswered, self._told_at = unanswered, now

    # --- sending ---

    def claim(self, *, now: datetime, limit: int = 20) -> Sequence[Due]:
        """What is due, oldest first; an end waits until its beginning has been dealt with."""
        with self._store.reading() as db:
            found = db.execute(
                "SELECT * FROM alert_messages AS message WHERE workspace = ?"
                " AND (due_at <= ? OR (attempts = 0 AND created_at > ?))"  # the clock was set back
                " AND sent_at IS NULL AND gave_up_at IS NULL AND NOT (event = ? AND EXISTS"
                " (SELECT 1 FROM alert_messages WHERE incident_id = message.incident_id"
                "  AND channel_id = message.channel_id AND event = ?"
                "  AND sent_at IS NULL AND gave_up_at IS NULL))"
                " ORDER BY id LIMIT ?",
                (self._workspace, stamp(now), stamp(now), Event.RESOLVED, Event.OPENED, limit),
            ).fetchall()
        if not found:
            return ()
        claimed = []
        with self._store.transaction() as db:
            for row in found:
                attempts = row["attempts"] + 1
                db.execute(
                    "UPDATE alert_messages SET attempts = ?, due_at = ? WHERE id = ?",
                    (attempts, stamp(now + CLAIMED_FOR), row["id"]),
                )
                about = db.execute(
                    "SELECT * FROM incidents WHERE id = ?", (row["incident_id"],)
                ).fetchone()
                claimed.append(
                    Due(
                        id=row["id"],
                        channel_id=row["channel_id"],
                        event=Event(row["event"]),
                        incident=rows.incident(about) if about is not None else None,
                        attempts=attempts,
                        created_at=rows.given(row["created_at"]),
                    )
                )
        return claimed

    def sent(self, message: Due, *, now: datetime) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE alert_messages SET sent_at = ?, error = '' WHERE id = ?",
                (stamp(now), message.id),
            )

    def failed(self, message: Due, error: str, *, now: datetime, final: bool) -> None:
        """Try again later, unless it was tried often enough or will never work."""
        over = final or message.attempts > len(PAUSES) or message.incident is None
        with self._store.transaction() as db:
            if over:
                db.execute(
                    "UPDATE alert_messages SET gave_up_at = ?, error = ? WHERE id = ?",
                    (stamp(now), error, message.id),
                )
                return
            due = now + PAUSES[message.attempts - 1]
            db.execute(
                "UPDATE alert_messages SET due_at = ?, error = ? WHERE id = ?",
                (stamp(due), error, message.id),
            )

    def forget(self, *, now: datetime) -> None:
        """Delete what ended long ago."""
        before = stamp(now - KEPT_FOR)
        with self._store.transaction() as db:
            db.execute("DELETE FROM incidents WHERE resolved_at < ?", (before,))
            db.execute("DELETE FROM alert_messages WHERE created_at < ?", (before,))
            db.execute("DELETE FROM probe_results WHERE at < ?", (before,))
