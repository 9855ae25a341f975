"""Who changed what: written in the transaction of the change itself."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from services.access import acting
from services.domain import AuditEvent
from services.local.clock import utc_now
from services.local.store import Store, instant, stamp
from services.ports import AuditLog


def record(
    db: sqlite3.Connection,
    *,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: str | None = None,
    workspace: str = "",
) -> None:
    """Add one event to the transaction `db` is in. Values are plain and never secret.

    Args:
        action: noun and verb, ``deployment.create``.
        subject: kind and name, ``deployment/bank``.
        actor: who did it; the account this process runs as when None.
        workspace: of which workspace that lives elsewhere; empty: this one.
    """
    db.execute(
        "INSERT INTO audit (at, actor, action, subject, before, after, workspace)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            stamp(utc_now()),
            actor or account(),
            action,
            subject,
            json.dumps(before or {}, default=str),
            json.dumps(after or {}, default=str),
            workspace,
        ),
    )


def account() -> str:
    """Who this process acts for: whoever asked, else the account it runs as."""
    if asked := acting():
        return asked
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container user without a passwd entry
        return "operator"


class LocalAuditLog(AuditLog):
    def __init__(self, store: Store, *, workspace: str = "") -> None:
        self._store, self._workspace = store, workspace

    def list(self, *, subject: str | None = None, limit: int = 200) -> tuple[AuditEvent, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM audit WHERE workspace = ? AND (? IS NULL OR subject = ?)"
                " ORDER BY id DESC LIMIT ?",
                (self._workspace, subject, subject, limit),
            ).fetchall()
        return tuple(map(_event, rows))

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        with self._store.transaction() as db:
            record(
                db,
                action=action,
                subject=subject,
                before=before,
                after=after,
                workspace=self._workspace,
            )


def _event(row: sqlite3.Row) -> AuditEvent:
    return _told(*(row[name] for name in ("at", "actor", "action", "subject", "before", "after")))


@lru_cache(maxsize=5000)  # as many as are asked for at once; what is written never changes
def _told(at: str, actor: str, action: str, subject: str, before: str, after: str) -> AuditEvent:
    moment = instant(at)
    assert moment is not None  # the column is NOT NULL
    return AuditEvent(
        at=moment,
        actor=actor,
        action=action,
        subject=subject,
        before=json.loads(before),
        after=json.loads(after),
    )
