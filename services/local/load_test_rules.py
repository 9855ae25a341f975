"""Decisions about load tests, kept in the store: of this workspace, or of one elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.load_test_rules import (
    BUDGET_ELSEWHERE,
    BUDGET_HERE,
    STOP_AT_FAILURE_PCT,
    GuardRails,
    LoadTestRule,
    LoadTestRules,
    Thresholds,
    check_guard_rails,
    check_thresholds,
)
from services.local import audit
from services.local.store import Store


class LocalLoadTestRules(LoadTestRules):
    """One row per deployment; what was never decided is NULL, and follows the defaults."""

    def __init__(self, store: Store, *, workspace: str = "") -> None:
        """
        Args:
            workspace: which one that lives elsewhere; empty: this one.
        """
        self._store, self._workspace = store, workspace

    def list(self) -> tuple[LoadTestRule, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM load_test_rules WHERE workspace = ? ORDER BY deployment",
                (self._workspace,),
            ).fetchall()
        return tuple(self._rule(row["deployment"], row) for row in rows)

    def get(self, deployment: str) -> LoadTestRule:
        with self._store.reading() as db:
            return self._rule(deployment, self._row(db, deployment))

    def set_thresholds(self, deployment: str, thresholds: Thresholds) -> LoadTestRule:
        check_thresholds(thresholds)
        return self._decide(deployment, "load_test_rule.thresholds", asdict(thresholds))

    def set_guard_rails(self, deployment: str, guard_rails: GuardRails) -> LoadTestRule:
        check_guard_rails(guard_rails)
        return self._decide(
            deployment,
            "load_test_rule.guard_rails",
            {
                "request_budget": guard_rails.request_budget,
                "stop_at_failure_pct": guard_rails.stop_at_failure_pct,
                "never_stop": int(guard_rails.stop_at_failure_pct is None),
            },
        )

    def pin(self, deployment: str, load_test_id: str) -> LoadTestRule:
        return self._decide(deployment, "load_test_rule.pin", {"baseline_id": load_test_id})

    def unpin(self, deployment: str) -> LoadTestRule:
        rule = self.get(deployment)
        if rule.baseline_id is None:
            return rule
        return self._decide(deployment, "load_test_rule.unpin", {"baseline_id": None})

    def _decide(self, deployment: str, action: str, values: Mapping[str, Any]) -> LoadTestRule:
        """Write these columns of the deployment's row, and who did it."""
        columns = ", ".join(f"{name} = :{name}" for name in values)  # names are our own
        key = {"workspace": self._workspace, "deployment": deployment}
        with self._store.transaction() as db:
            before = self._row(db, deployment)
            db.execute(
                "INSERT INTO load_test_rules (workspace, deployment)"
                " VALUES (:workspace, :deployment) ON CONFLICT DO NOTHING",
                key,
            )
            db.execute(
                f"UPDATE load_test_rules SET {columns}"
                " WHERE workspace = :workspace AND deployment = :deployment",
                {**key, **values},
            )
            audit.record(
                db,
                action=action,
                subject=f"deployment/{deployment}",
                before={name: before[name] for name in values} if before else {},
                after=values,
                workspace=self._workspace,
            )
            return self._rule(deployment, self._row(db, deployment))

    def _row(self, db: sqlite3.Connection, deployment: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM load_test_rules WHERE workspace = ? AND deployment = ?",
            (self._workspace, deployment),
        ).fetchone()
        return row

    def _rule(self, deployment: str, row: sqlite3.Row | None) -> LoadTestRule:
        budget = BUDGET_ELSEWHERE if self._workspace else BUDGET_HERE
        if row is None:
            return LoadTestRule(
                deployment=deployment, guard_rails=GuardRails(request_budget=budget)
            )
        stop = row["stop_at_failure_pct"] or STOP_AT_FAILURE_PCT
        return LoadTestRule(
            deployment=deployment,
            thresholds=Thresholds(
                p95_ms=row["p95_ms"],
                failure_pct=row["failure_pct"],
                requests_per_s=row["requests_per_s"],
            ),
            guard_rails=GuardRails(
                request_budget=row["request_budget"] or budget,
                stop_at_failure_pct=None if row["never_stop"] else stop,
            ),
            baseline_id=row["baseline_id"],
        )
