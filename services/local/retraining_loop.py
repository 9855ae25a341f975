"""The closed loop as it is kept: policies, decisions and the answers somebody gave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from services.domain import (
    PipelineKind,
    RunStatus,
    check_asset_name,
    check_deployment_name,
)
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.pipeline_records import given
from services.local.store import Store, instant, stamp
from services.retraining_loop import RetrainingLoop
from services.retraining_policy import (
    Check,
    Decision,
    DecisionState,
    Golden,
    Judgement,
    Mark,
    Policy,
)


class LocalRetrainingLoop(RetrainingLoop):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._store, self._clock = store, clock

    def policies(self) -> tuple[Policy, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM retrain_policies ORDER BY pipeline_id").fetchall()
        return tuple(map(_policy, rows))

    def save(self, policy: Policy) -> None:
        check_deployment_name(policy.deployment)
        check_asset_name("model", policy.model_name)
        with self._store.transaction() as db:
            pipeline = db.execute(
                "SELECT kind FROM pipelines WHERE id = ?", (policy.pipeline_id,)
            ).fetchone()
            if pipeline is None:
                raise NotFoundError("published pipeline", policy.pipeline_id)
            if pipeline["kind"] != PipelineKind.RETRAINING:
                raise InvalidRequestError("Only a retraining pipeline makes a model to hold.")
            before = db.execute(
                "SELECT * FROM retrain_policies WHERE pipeline_id = ?", (policy.pipeline_id,)
            ).fetchone()
            going_on = before is not None and before["enabled"] and policy.enabled
            db.execute(
                "INSERT OR REPLACE INTO retrain_policies (pipeline_id, enabled, deployment,"
                " model_name, warn_passes, golden, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    policy.pipeline_id,
                    policy.enabled,
                    policy.deployment,
                    policy.model_name,
                    policy.warn_passes,
                    policy.golden,
                    before["since"] if going_on else stamp(self._clock()),
                ),
            )
            audit.record(
                db,
                action="retraining.policy",
                subject=f"pipeline/{policy.pipeline_id}",
                before=asdict(_policy(before)) if before else None,
                after=asdict(policy),
            )

    def decisions(self, pipeline_id: str, *, limit: int = 200) -> tuple[Decision, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM retrain_decisions WHERE pipeline_id = ?"
                " ORDER BY begun_at DESC, run_id LIMIT ?",
                (pipeline_id, limit),
            ).fetchall()
        return tuple(map(_decision, rows))

    def approve(self, run_id: str, *, note: str = "") -> None:
        self._answer(run_id, DecisionState.APPROVED, note)

    def reject(self, run_id: str, *, note: str = "") -> None:
        self._answer(run_id, DecisionState.DECLINED, note)

    def _answer(self, run_id: str, state: DecisionState, note: str) -> None:
        now = stamp(self._clock())
        with self._store.transaction() as db:
            row = db.execute(
                "SELECT * FROM retrain_decisions WHERE run_id = ?", (run_id,)
            ).fetchone()
            if row is None:
                raise NotFoundError("decision about the run", run_id)
            if row["state"] != DecisionState.WAITING:
                raise ConflictError(f"It does not wait for approval any more: {row['state']}.")
            db.execute(
                "UPDATE retrain_decisions SET state = ?, answered_at = ?, answered_by = ?,"
                " note = ?, ended_at = ? WHERE run_id = ?",
                (
                    state,
                    now,
                    audit.account(),
                    note.strip(),
                    now if state is DecisionState.DECLINED else None,
                    run_id,
                ),
            )
            verb = "approve" if state is DecisionState.APPROVED else "reject"
            audit.record(
                db,
                action=f"retraining.{verb}",
                subject=f"model/{row['model_id']}",
                before={"state": row["state"]},
                after={"state": state, "run": run_id, "note": note.strip()},
            )

    # --- for the duty and its worker ---

    def begin(self) -> None:
        """Take up every run that ended under a policy and was not decided about."""
        with self._store.reading() as db:
            if not _ended(db):
                return
        with self._store.transaction() as db:
            for row in _ended(db):
                db.execute(
                    "INSERT INTO retrain_decisions (run_id, pipeline_id, policy, state, begun_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (
                        row["run_id"],
                        row["pipeline_id"],
                        json.dumps(asdict(_policy(row))),
                        DecisionState.DECIDING,
                        stamp(self._clock()),
                    ),
                )

    def at_work(self) -> Sequence[sqlite3.Row]:
        """What the worker has to judge or to deploy, oldest first."""
        with self._store.reading() as db:
            return db.execute(
                "SELECT * FROM retrain_decisions WHERE state IN (?, ?) ORDER BY begun_at, run_id",
                (DecisionState.DECIDING, DecisionState.APPROVED),
            ).fetchall()

    def decision(self, run_id: str) -> Decision:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM retrain_decisions WHERE run_id = ?", (run_id,)
            ).fetchone()
        if row is None:
            raise NotFoundError("decision about the run", run_id)
        return _decision(row)

    def decided(
        self, run_id: str, judgement: Judgement, golden: Golden | None, model_id: str | None
    ) -> None:
        state = DecisionState.WAITING if judgement.accepted else DecisionState.REJECTED
        now = stamp(self._clock())
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE retrain_decisions SET state = ?, checks = ?, golden = ?, model_id = ?,"
                " decided_at = ?, ended_at = ? WHERE run_id = ? AND state = ?",
                (
                    state,
                    json.dumps([asdict(check) for check in judgement.checks]),
                    json.dumps(asdict(golden)) if golden else None,
                    model_id,
                    now,
                    None if judgement.accepted else now,
                    run_id,
                    DecisionState.DECIDING,
                ),
            ).rowcount
            if changed:
                audit.record(
                    db,
                    action="retraining.judge",
                    subject=f"pipeline run/{run_id}",
                    after={"state": state, "why": judgement.why, "model": model_id},
                    actor="supervisor",
                )

    def end(self, run_id: str, state: DecisionState, *, error: str = "") -> None:
        """Of one that was being judged or deployed."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE retrain_decisions SET state = ?, error = ?, ended_at = ?"
                " WHERE run_id = ? AND state IN (?, ?)",
                (
                    state,
                    error,
                    stamp(self._clock()),
                    run_id,
                    DecisionState.DECIDING,
                    DecisionState.APPROVED,
                ),
            )

    def again(self, run_id: str) -> None:
        """The worker was lost with the workspace; another one goes on."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE retrain_decisions SET attempt = attempt + 1 WHERE run_id = ?", (run_id,)
            )


def _ended(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT retrain_policies.*, pipeline_runs.id AS run_id FROM retrain_policies"
        " JOIN pipeline_runs ON pipeline_runs.pipeline_id = retrain_policies.pipeline_id"
        " WHERE enabled AND status IN (?, ?) AND pipeline_runs.ended_at >= since AND NOT EXISTS"
        " (SELECT 1 FROM retrain_decisions WHERE run_id = pipeline_runs.id)"
        " ORDER BY pipeline_runs.ended_at",
        (RunStatus.COMPLETED, RunStatus.FAILED),
    ).fetchall()


def _policy(row: sqlite3.Row) -> Policy:
    return Policy(
        pipeline_id=row["pipeline_id"],
        deployment=row["deployment"],
        model_name=row["model_name"],
        enabled=bool(row["enabled"]),
        warn_passes=bool(row["warn_passes"]),
        golden=bool(row["golden"]),
    )


def _decision(row: sqlite3.Row) -> Decision:
    golden = json.loads(row["golden"]) if row["golden"] else None
    return Decision(
        run_id=row["run_id"],
        pipeline_id=row["pipeline_id"],
        policy=Policy(**json.loads(row["policy"])),
        state=DecisionState(row["state"]),
        checks=tuple(
            Check(each["name"], Mark(each["mark"]), each["reason"])
            for each in json.loads(row["checks"])
        ),
        golden=Golden(golden["count"], tuple(golden["wrong"])) if golden else None,
        model_id=row["model_id"],
        begun_at=given(row["begun_at"]),
        decided_at=instant(row["decided_at"]),
        answered_at=instant(row["answered_at"]),
        answered_by=row["answered_by"],
        note=row["note"],
        ended_at=instant(row["ended_at"]),
        error=row["error"],
    )
