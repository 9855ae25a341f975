"""The closed loop as it is kept: policies, decisions and the answers somebody gave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from services.domain import (
    PipelineKind,
    PipelineRun,
    RunStatus,
    check_asset_name,
    check_deployment_name,
)
from services.errors import ConflictError, InvalidRequestError, NotFoundError
from services.local import audit, retrain_rows
from services.local.clock import Clock, utc_now
from services.local.store import Store, stamp
from services.ports import Pipelines
from services.retraining_loop import RetrainingLoop
from services.retraining_policy import (
    Check,
    Decision,
    DecisionState,
    Golden,
    Judgement,
    Measured,
    Policy,
)

SEARCHES = "automl_module"  # the kind of a pipeline's node that trains
ENDED = (RunStatus.COMPLETED, RunStatus.FAILED)


class LocalRetrainingLoop(RetrainingLoop):
    def __init__(
        self,
        home: Path,
        store: Store,
        *,
        workspace: str = "",
        pipelines: Pipelines | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            workspace: which one that lives elsewhere; empty: this one.
            pipelines: those of one that lives elsewhere.
        """
        self._store, self._clock = store, clock
        self._workspace, self._pipelines = workspace, pipelines

    def policies(self) -> tuple[Policy, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM retrain_policies WHERE workspace = ? ORDER BY pipeline_id",
                (self._workspace,),
            ).fetchall()
        return tuple(map(retrain_rows.policy, rows))

    def save(self, policy: Policy) -> None:
        check_deployment_name(policy.deployment)
        check_asset_name("model", policy.model_name)
        self._check_trains(policy.pipeline_id)
        with self._store.transaction() as db:
            before = db.execute(
                "SELECT * FROM retrain_policies WHERE workspace = ? AND pipeline_id = ?",
                (self._workspace, policy.pipeline_id),
            ).fetchone()
            going_on = before is not None and before["enabled"] and policy.enabled
            db.execute(
                "INSERT OR REPLACE INTO retrain_policies (workspace, pipeline_id, enabled,"
                " deployment, model_name, warn_passes, golden, since)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._workspace,
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
                before=asdict(retrain_rows.policy(before)) if before else None,
                after=asdict(policy),
                workspace=self._workspace,
            )

    def _check_trains(self, pipeline_id: str) -> None:
        """
        Raises:
            NotFoundError, InvalidRequestError: as `save`.
        """
        if self._pipelines is not None:
            self._pipelines.get(pipeline_id)
            if all(node.kind != SEARCHES for node in self._pipelines.graph(pipeline_id).nodes):
                raise InvalidRequestError(
                    "This pipeline has no AutoML step, so nobody knows which of its runs trains."
                )
            return
        with self._store.reading() as db:
            found = db.execute("SELECT kind FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
        if found is None:
            raise NotFoundError("published pipeline", pipeline_id)
        if found["kind"] != PipelineKind.RETRAINING:
            raise InvalidRequestError("Only a retraining pipeline makes a model to hold.")

    def decisions(self, pipeline_id: str, *, limit: int = 200) -> tuple[Decision, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM retrain_decisions WHERE workspace = ? AND pipeline_id = ?"
                " ORDER BY begun_at DESC, run_id LIMIT ?",
                (self._workspace, pipeline_id, limit),
            ).fetchall()
        return tuple(map(retrain_rows.decision, rows))

    def measured(self, pipeline_id: str) -> tuple[Measured, ...]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM retrain_measured WHERE workspace = ? AND pipeline_id = ?",
                (self._workspace, pipeline_id),
            ).fetchall()
        return tuple(map(retrain_rows.measured, rows))

    def approve(self, run_id: str, *, note: str = "") -> None:
        self._answer(run_id, DecisionState.APPROVED, note)

    def reject(self, run_id: str, *, note: str = "") -> None:
        self._answer(run_id, DecisionState.DECLINED, note)

    def _answer(self, run_id: str, state: DecisionState, note: str) -> None:
        now = stamp(self._clock())
        with self._store.transaction() as db:
            row = self._row(db, run_id)
            if row["state"] != DecisionState.WAITING:
                raise ConflictError(f"It does not wait for approval any more: {row['state']}.")
            db.execute(
                "UPDATE retrain_decisions SET state = ?, answered_at = ?, answered_by = ?,"
                " note = ?, ended_at = ? WHERE workspace = ? AND run_id = ?",
                (
                    state,
                    now,
                    audit.account(),
                    note.strip(),
                    now if state is DecisionState.DECLINED else None,
                    self._workspace,
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
                workspace=self._workspace,
            )

    # --- for whoever judges and deploys ---

    def begin(self) -> None:
        """Take up every run that ended under a policy and was not decided about."""
        with self._store.reading() as db:
            if not _ended(db):
                return
        with self._store.transaction() as db:
            for row in _ended(db):
                self._begin(db, row["run_id"], retrain_rows.policy(row))

    def take_up(self, pipeline_id: str, runs: Iterable[PipelineRun]) -> None:
        """`begin`, of a pipeline that lives elsewhere."""
        ended = [run for run in runs if run.status in ENDED]
        with self._store.reading() as db:
            known = {
                row["run_id"]
                for row in db.execute(
                    "SELECT run_id FROM retrain_decisions WHERE workspace = ? AND pipeline_id = ?",
                    (self._workspace, pipeline_id),
                )
            }
        ended = [run for run in ended if run.id not in known]
        if not ended:
            return  # a write would wake everybody for nothing
        with self._store.transaction() as db:
            row = db.execute(
                "SELECT * FROM retrain_policies WHERE workspace = ? AND pipeline_id = ?"
                " AND enabled",
                (self._workspace, pipeline_id),
            ).fetchone()
            for run in sorted(ended, key=lambda each: each.created_at) if row else ():
                if str(stamp(run.ended_at or run.created_at)) >= row["since"]:
                    self._begin(db, run.id, retrain_rows.policy(row))

    def _begin(self, db: sqlite3.Connection, run_id: str, policy: Policy) -> None:
        db.execute(
            "INSERT OR IGNORE INTO retrain_decisions (workspace, run_id, pipeline_id, policy,"
            " state, begun_at) VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._workspace,
                run_id,
                policy.pipeline_id,
                json.dumps(asdict(policy)),
                DecisionState.DECIDING,
                stamp(self._clock()),
            ),
        )

    def measure(self, pipeline_id: str, found: Iterable[Measured]) -> None:
        """Keep what past runs trained."""
        with self._store.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO retrain_measured (workspace, run_id, pipeline_id,"
                " training_run_id, model_id, metrics) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        self._workspace,
                        each.run_id,
                        pipeline_id,
                        each.training_run_id,
                        each.model_id,
                        json.dumps(dict(each.metrics)),
                    )
                    for each in found
                ],
            )

    def at_work(self) -> Sequence[sqlite3.Row]:
        """What has to be judged or deployed, oldest first."""
        with self._store.reading() as db:
            return db.execute(
                "SELECT * FROM retrain_decisions WHERE workspace = ? AND state IN (?, ?)"
                " ORDER BY begun_at, run_id",
                (self._workspace, DecisionState.DECIDING, DecisionState.APPROVED),
            ).fetchall()

    def waiting_work(self) -> tuple[Decision, ...]:
        """`at_work`, as records."""
        return tuple(map(retrain_rows.decision, self.at_work()))

    def decision(self, run_id: str) -> Decision:
        with self._store.reading() as db:
            return retrain_rows.decision(self._row(db, run_id))

    def _row(self, db: sqlite3.Connection, run_id: str) -> sqlite3.Row:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM retrain_decisions WHERE workspace = ? AND run_id = ?",
            (self._workspace, run_id),
        ).fetchone()
        if row is None:
            raise NotFoundError("decision about the run", run_id)
        return row

    def decided(
        self, run_id: str, judgement: Judgement, golden: Golden | None, model_id: str | None
    ) -> None:
        state = DecisionState.WAITING if judgement.accepted else DecisionState.REJECTED
        now = stamp(self._clock())
        with self._store.transaction() as db:
            changed = db.execute(
                "UPDATE retrain_decisions SET state = ?, checks = ?, golden = ?, model_id = ?,"
                " decided_at = ?, ended_at = ? WHERE workspace = ? AND run_id = ? AND state = ?",
                (
                    state,
                    json.dumps([asdict(check) for check in judgement.checks]),
                    json.dumps(asdict(golden)) if golden else None,
                    model_id,
                    now,
                    None if judgement.accepted else now,
                    self._workspace,
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
                    actor="watcher" if self._workspace else "supervisor",
                    workspace=self._workspace,
                )

    def handing_over(self, run_id: str, replaces: str) -> Decision:
        with self._store.transaction() as db:
            db.execute(
                "UPDATE retrain_decisions SET handed_at = ?, replaces = ?"
                " WHERE workspace = ? AND run_id = ?",
                (stamp(self._clock()), replaces, self._workspace, run_id),
            )
        return self.decision(run_id)

    def end(
        self,
        run_id: str,
        state: DecisionState,
        *,
        error: str = "",
        golden: tuple[Golden, Check] | None = None,
    ) -> None:
        with self._store.transaction() as db:
            row = self._row(db, run_id)
            checks, said = row["checks"], row["golden"]
            if golden is not None:
                said = json.dumps(asdict(golden[0]))
                others = [each for each in json.loads(checks) if each["name"] != golden[1].name]
                checks = json.dumps([*others, asdict(golden[1])])
            db.execute(
                "UPDATE retrain_decisions SET state = ?, error = ?, checks = ?, golden = ?,"
                " ended_at = ? WHERE workspace = ? AND run_id = ? AND state IN (?, ?)",
                (
                    state,
                    error,
                    checks,
                    said,
                    stamp(self._clock()),
                    self._workspace,
                    run_id,
                    DecisionState.DECIDING,
                    DecisionState.APPROVED,
                ),
            )

    def again(self, run_id: str) -> None:
        """The worker was lost with the workspace; another one goes on."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE retrain_decisions SET attempt = attempt + 1"
                " WHERE workspace = ? AND run_id = ?",
                (self._workspace, run_id),
            )


def _ended(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT retrain_policies.*, pipeline_runs.id AS run_id FROM retrain_policies"
        " JOIN pipeline_runs ON pipeline_runs.pipeline_id = retrain_policies.pipeline_id"
        " WHERE retrain_policies.workspace = '' AND enabled AND status IN (?, ?)"
        " AND pipeline_runs.ended_at >= since AND NOT EXISTS (SELECT 1 FROM retrain_decisions"
        " WHERE retrain_decisions.workspace = '' AND run_id = pipeline_runs.id)"
        " ORDER BY pipeline_runs.ended_at",
        ENDED,
    ).fetchall()
