"""Pinned baselines, kept in the store: of this workspace, or of one that lives elsewhere."""

from __future__ import annotations

import sqlite3

from services.domain import Baseline
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.ports import Baselines


class LocalBaselines(Baselines):
    """One row per experiment; pinning another run replaces it."""

    def __init__(self, store: Store, *, workspace: str = "", clock: Clock = utc_now) -> None:
        """
        Args:
            workspace: which one that lives elsewhere; empty: this one.
        """
        self._store, self._workspace, self._clock = store, workspace, clock

    def list(self) -> tuple[Baseline, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM baselines WHERE workspace = ? ORDER BY experiment",
                (self._workspace,),
            ).fetchall()
        return tuple(map(_baseline, rows))

    def pin(self, experiment: str, run_id: str) -> Baseline:
        now = self._clock()
        with self._store.transaction() as db:
            before = self._pinned(db, experiment)
            db.execute(
                "INSERT INTO baselines (workspace, experiment, run_id, pinned_at)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (workspace, experiment)"
                " DO UPDATE SET run_id = excluded.run_id, pinned_at = excluded.pinned_at",
                (self._workspace, experiment, run_id, stamp(now)),
            )
            self._noted(db, "baseline.pin", experiment, before, {"run_id": run_id})
        return Baseline(experiment=experiment, run_id=run_id, pinned_at=now)

    def unpin(self, experiment: str) -> None:
        with self._store.transaction() as db:
            if before := self._pinned(db, experiment):
                db.execute(
                    "DELETE FROM baselines WHERE workspace = ? AND experiment = ?",
                    (self._workspace, experiment),
                )
                self._noted(db, "baseline.unpin", experiment, before, {})

    def _pinned(self, db: sqlite3.Connection, experiment: str) -> dict[str, str]:
        row = db.execute(
            "SELECT run_id FROM baselines WHERE workspace = ? AND experiment = ?",
            (self._workspace, experiment),
        ).fetchone()
        return {} if row is None else {"run_id": row["run_id"]}

    def _noted(
        self,
        db: sqlite3.Connection,
        action: str,
        experiment: str,
        before: dict[str, str],
        after: dict[str, str],
    ) -> None:
        audit.record(
            db,
            action=action,
            subject=f"experiment/{experiment}",
            before=before,
            after=after,
            workspace=self._workspace,
        )


def _baseline(row: sqlite3.Row) -> Baseline:
    pinned_at = instant(row["pinned_at"])
    assert pinned_at is not None  # the column is NOT NULL
    return Baseline(experiment=row["experiment"], run_id=row["run_id"], pinned_at=pinned_at)
