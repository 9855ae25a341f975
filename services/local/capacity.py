"""Capacity searches: asked for here, carried on by `CapacityDuty` in the supervisor."""

from __future__ import annotations

import json
import secrets
import sqlite3
from pathlib import Path

from services import apache_bench, capacity, load_test_rules
from services.capacity import CapacityPlan, CapacitySearch, CapacitySearches
from services.domain import Deployment, LoadTest, LoadTestState
from services.errors import ConflictError, NotFoundError, UnavailableError
from services.local import audit, load_test_handover
from services.local.clock import Clock, utc_now
from services.local.load_test_rows import record as load_test
from services.local.load_test_rules import LocalLoadTestRules
from services.local.load_tests import check_payload, folder, settings
from services.local.store import Store, instant, stamp
from services.ports import Deployments


class LocalCapacitySearches(CapacitySearches):
    """Steps are read from the load tests themselves; a search adds only why it ended."""

    def __init__(
        self,
        home: Path,
        store: Store,
        deployments: Deployments,
        *,
        workspace: str = "",
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            workspace: where the deployments live; empty: here.
        """
        self._home, self._store, self._deployments = home, store, deployments
        self._workspace, self._clock = workspace, clock

    def list(self, deployment: str | None = None) -> tuple[CapacitySearch, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM capacity_searches WHERE workspace = ?"
                " AND (? IS NULL OR deployment = ?) ORDER BY created_at DESC, id",
                (self._workspace, deployment, deployment),
            ).fetchall()
            return tuple(record(row, tests_of(db, row["id"])) for row in rows)

    def get(self, search_id: str) -> CapacitySearch:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM capacity_searches WHERE id = ? AND workspace = ?",
                (search_id, self._workspace),
            ).fetchone()
            if row is None:
                raise NotFoundError("capacity search", search_id)
            return record(row, tests_of(db, search_id))

    def begin(self, plan: CapacityPlan, *, confirmed: str = "") -> CapacitySearch:
        check_payload(plan.payload)
        apache_bench.executable()
        target = self._deployments.get(plan.deployment)
        if target.scoring_uri is None:
            raise UnavailableError(f"“{target.name}” has no scoring URI yet; it is {target.state}.")
        load_test_rules.check_confirmed(target.name, target.scoring_uri, confirmed)
        guard_rails = (
            LocalLoadTestRules(self._store, workspace=self._workspace)
            .get(plan.deployment)
            .guard_rails
        )
        load_test_rules.check_thresholds(plan.thresholds)
        capacity.check_plan(plan, guard_rails)
        search_id = secrets.token_hex(6)
        if self._workspace:
            key = self._deployments.keys(target.name).primary if target.auth_enabled else None
            load_test_handover.leave(folder(self._home, search_id), target.scoring_uri, key)
        try:
            with self._store.transaction() as db:
                self._insert(db, search_id, plan, target, guard_rails.stop_at_failure_pct)
        except sqlite3.IntegrityError as error:
            load_test_handover.discard(folder(self._home, search_id))
            raise ConflictError(
                f"A capacity search of “{plan.deployment}” has not ended; wait for it or stop it."
            ) from error
        return self.get(search_id)

    def stop(self, search_id: str) -> None:
        search = self.get(search_id)
        if search.state.settled:
            return
        now = stamp(self._clock())
        with self._store.transaction() as db:
            db.execute(
                "UPDATE capacity_searches SET stop_asked_at = ? WHERE id = ? AND ended_at IS NULL",
                (now, search_id),
            )
            db.execute(
                "UPDATE load_tests SET stop_asked_at = ? WHERE search_id = ? AND ended_at IS NULL",
                (now, search_id),
            )
            audit.record(
                db,
                action="capacity_search.stop",
                subject=f"deployment/{search.plan.deployment}",
                workspace=self._workspace,
            )

    def _insert(
        self,
        db: sqlite3.Connection,
        search_id: str,
        plan: CapacityPlan,
        target: Deployment,
        stop_at_failure_pct: float | None,
    ) -> None:
        db.execute(
            "INSERT INTO capacity_searches (id, workspace, deployment, created_at, payload, p95_ms,"
            " failure_pct, request_budget, step_requests, most, stop_at_failure_pct, model_id,"
            " settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                search_id,
                self._workspace,
                plan.deployment,
                stamp(self._clock()),
                plan.payload,
                plan.p95_ms,
                plan.failure_pct,
                plan.request_budget,
                plan.step_requests,
                plan.most,
                stop_at_failure_pct,
                target.model_id,
                json.dumps(settings(target)),
            ),
        )
        audit.record(
            db,
            action="capacity_search.begin",
            subject=f"deployment/{plan.deployment}",
            after={"request_budget": plan.request_budget, "most": plan.most},
            workspace=self._workspace,
        )


def tests_of(db: sqlite3.Connection, search_id: str) -> tuple[LoadTest, ...]:
    """The load tests of a search, in the order in which they were asked for."""
    rows = db.execute(
        "SELECT * FROM load_tests WHERE search_id = ? ORDER BY created_at, rowid", (search_id,)
    ).fetchall()
    return tuple(map(load_test, rows))


def plan_of(row: sqlite3.Row) -> CapacityPlan:
    return CapacityPlan(
        deployment=row["deployment"],
        payload=row["payload"],
        p95_ms=row["p95_ms"],
        failure_pct=row["failure_pct"],
        request_budget=row["request_budget"],
        step_requests=row["step_requests"],
        most=row["most"],
    )


def record(row: sqlite3.Row, tests: tuple[LoadTest, ...]) -> CapacitySearch:
    """The search a row stands for, with what its load tests say."""
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    plan = plan_of(row)
    return CapacitySearch(
        id=row["id"],
        plan=plan,
        state=LoadTestState(row["outcome"]) if row["outcome"] else LoadTestState.RUNNING,
        created_at=created_at,
        ended_at=instant(row["ended_at"]),
        reason=row["reason"],
        steps=capacity.steps(tests, plan),
        spent=sum(test.done_count for test in tests),
    )
