"""Evaluations of the local workspace: asked for here, answered by a program of their own."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.domain import (
    Difference,
    Evaluation,
    EvaluationPlan,
    RunStatus,
    SliceScore,
    Verdict,
    split_id,
)
from services.errors import InvalidRequestError, NotFoundError
from services.local import audit
from services.local.clock import Clock, utc_now
from services.local.store import Store, instant, stamp
from services.ports import Evaluations


class LocalEvaluations(Evaluations):
    """One row per question. Models and dataset versions never change, so an answer stays true."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock

    def list(self) -> tuple[Evaluation, ...]:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM evaluations ORDER BY created_at DESC, id").fetchall()
        return tuple(map(_evaluation, rows))

    def get(self, evaluation_id: str) -> Evaluation:
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM evaluations WHERE id = ?", (evaluation_id,)).fetchone()
        if row is None:
            raise NotFoundError("evaluation", evaluation_id)
        return _evaluation(row)

    def begin(self, plan: EvaluationPlan) -> Evaluation:
        if plan.model_id == plan.against:
            raise InvalidRequestError("Choose another model: one cannot be held against itself.")
        with self._store.transaction() as db:
            for model_id in filter(None, (plan.model_id, plan.against)):
                _demand(db, "models", "model", model_id)
            if plan.dataset_id:
                _demand(db, "datasets", "dataset", plan.dataset_id)
            db.execute("DELETE FROM evaluations WHERE id = ? AND error <> ''", (plan.id,))
            begun = db.execute(
                "INSERT OR IGNORE INTO evaluations (id, model_id, against, dataset_id, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (plan.id, plan.model_id, plan.against, plan.dataset_id, stamp(self._clock())),
            ).rowcount
            if begun:
                audit.record(
                    db,
                    action="evaluation.begin",
                    subject=f"model/{plan.model_id}",
                    after={"against": plan.against, "dataset_id": plan.dataset_id},
                )
        return self.get(plan.id)


def start(store: Store, evaluation_id: str, clock: Clock = utc_now) -> EvaluationPlan | None:
    """Note that it is being worked on; what is asked, or None where it is answered already."""
    with store.transaction() as db:
        row = db.execute(
            "UPDATE evaluations SET started_at = ? WHERE id = ? AND ended_at IS NULL RETURNING *",
            (stamp(clock()), evaluation_id),
        ).fetchone()
    return None if row is None else _plan(row)


def finish(
    store: Store,
    evaluation_id: str,
    *,
    result: dict[str, Any] | None = None,
    error: str = "",
    clock: Clock = utc_now,
) -> None:
    """Keep the answer, or why there is none. The first one stays."""
    with store.transaction() as db:
        db.execute(
            "UPDATE evaluations SET ended_at = ?, result = ?, error = ?"
            " WHERE id = ? AND ended_at IS NULL",
            (
                stamp(clock()),
                None if result is None else json.dumps(result),
                error,
                evaluation_id,
            ),
        )


def answer(
    *,
    rows: str,
    row_count: int,
    metric: str,
    value: float | None,
    difference: Difference | None,
    slices: tuple[SliceScore, ...],
) -> dict[str, Any]:
    """A result as the store keeps it."""
    return {
        "rows": rows,
        "row_count": row_count,
        "metric": metric,
        "value": value,
        "difference": None if difference is None else asdict(difference),
        "slices": [asdict(each) for each in slices],
    }


def _demand(db: sqlite3.Connection, table: str, kind: str, asset_id: str) -> None:
    name, version = split_id(kind, asset_id)
    found = db.execute(
        f"SELECT 1 FROM {table} WHERE name = ? AND version = ?", (name, version)
    ).fetchone()
    if found is None:
        raise NotFoundError(kind, asset_id)


def _plan(row: sqlite3.Row) -> EvaluationPlan:
    return EvaluationPlan(
        model_id=row["model_id"], against=row["against"], dataset_id=row["dataset_id"]
    )


def _evaluation(row: sqlite3.Row) -> Evaluation:
    created_at = instant(row["created_at"])
    assert created_at is not None  # the column is NOT NULL
    return Evaluation(
        id=row["id"],
        plan=_plan(row),
        status=_status(row),
        created_at=created_at,
        ended_at=instant(row["ended_at"]),
        error=row["error"],
        **_result(row["result"]),
    )


def _status(row: sqlite3.Row) -> RunStatus:
    if row["ended_at"] is not None:
        return RunStatus.FAILED if row["error"] else RunStatus.COMPLETED
    return RunStatus.RUNNING if row["started_at"] else RunStatus.QUEUED


def _result(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    found: dict[str, Any] = json.loads(text)
    difference = found["difference"]
    if difference is not None:
        difference["verdict"] = Verdict(difference["verdict"])
        found["difference"] = Difference(**difference)
    return found | {"slices": tuple(SliceScore(**each) for each in found["slices"])}
