"""Changes of deployments that live elsewhere, kept in the store of this workspace."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.domain import DeploymentState
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.passages import Passage, Scope


class DeskPassages:
    """The database decides who was first: one open passage per deployment and scope."""

    def __init__(self, store: Store, workspace: str, *, clock: Clock = utc_now) -> None:
        self._store, self._workspace, self._clock = store, workspace, clock

    def latest(self, scope: Scope = Scope.SERVICE) -> dict[str, Passage]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_passages WHERE id IN (SELECT max(id) FROM desk_passages"
                " WHERE workspace = ? AND scope = ? AND forgotten = 0 GROUP BY deployment)",
                (self._workspace, scope),
            ).fetchall()
        return {row["deployment"]: _passage(row) for row in rows}

    def all(self, deployment: str | None, *, scope: Scope = Scope.SERVICE) -> tuple[Passage, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM desk_passages WHERE workspace = ? AND scope = ?"
                " AND (? IS NULL OR deployment = ?) ORDER BY id DESC LIMIT 500",
                (self._workspace, scope, deployment, deployment),
            ).fetchall()
        return tuple(map(_passage, rows))

    def begin(
        self,
        deployment: str,
        kind: str,
        wanted: Mapping[str, Any],
        *,
        scope: Scope = Scope.SERVICE,
        since: datetime | None = None,
    ) -> int | None:
        now = stamp(since or self._clock())
        values = (self._workspace, deployment, scope, kind, json.dumps(dict(wanted)), now)
        try:
            with self._store.transaction() as db:
                row = db.execute(
                    "INSERT INTO desk_passages (workspace, deployment, scope, kind, wanted,"
                    " started_at, accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (*values, now if since else None),
                ).fetchone()
        except sqlite3.IntegrityError:
            return None
        return int(row["id"])

    def accepted(self, passage_id: int, operation: str | None) -> bool:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE desk_passages SET accepted_at = ?, operation = ?"
                " WHERE id = ? AND accepted_at IS NULL",
                (stamp(self._clock()), operation, passage_id),
            )
            row = db.execute(
                "SELECT withdrawn FROM desk_passages WHERE id = ?", (passage_id,)
            ).fetchone()
        return not row["withdrawn"]

    def end(
        self,
        passage_id: int,
        outcome: DeploymentState,
        *,
        error: str = "",
        at: datetime | None = None,
    ) -> None:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE desk_passages SET ended_at = max(started_at, ?), outcome = ?, error = ?,"
                " forgotten = withdrawn WHERE id = ? AND ended_at IS NULL",
                (stamp(at or self._clock()), outcome, error, passage_id),
            )

    def withdraw(self, deployment: str) -> bool:
        whose = (self._workspace, deployment)
        with self._store.transaction() as db:
            known = db.execute(
                "UPDATE desk_passages SET forgotten = 1 WHERE workspace = ? AND deployment = ?"
                " AND forgotten = 0 AND ended_at IS NOT NULL",
                whose,
            ).rowcount
            handing_over = db.execute(
                "UPDATE desk_passages SET withdrawn = 1 WHERE workspace = ? AND deployment = ?"
                " AND ended_at IS NULL AND accepted_at IS NULL",
                whose,
            ).rowcount
            under_way = db.execute(
                "UPDATE desk_passages SET ended_at = ?, outcome = ?, forgotten = 1"
                " WHERE workspace = ? AND deployment = ?"
                " AND ended_at IS NULL AND accepted_at IS NOT NULL",
                (stamp(self._clock()), DeploymentState.UNKNOWN, *whose),
            ).rowcount
        return known + handing_over + under_way > 0


def _passage(row: sqlite3.Row) -> Passage:
    started_at = instant(row["started_at"])
    assert started_at is not None  # the column is NOT NULL
    return Passage(
        id=row["id"],
        deployment=row["deployment"],
        scope=Scope(row["scope"]),
        kind=row["kind"],
        wanted=json.loads(row["wanted"]),
        started_at=started_at,
        accepted_at=instant(row["accepted_at"]),
        operation=row["operation"],
        ended_at=instant(row["ended_at"]),
        outcome=None if row["outcome"] is None else DeploymentState(row["outcome"]),
        error=row["error"],
        withdrawn=bool(row["withdrawn"]),
    )
