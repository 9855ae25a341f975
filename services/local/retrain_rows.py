"""Rows of the closed loop as records."""

from __future__ import annotations

import json
import sqlite3

from services.local.pipeline_records import given
from services.local.store import instant
from services.retraining_policy import (
    Check,
    Decision,
    DecisionState,
    Golden,
    Mark,
    Measured,
    Policy,
)


def policy(row: sqlite3.Row) -> Policy:
    return Policy(
        pipeline_id=row["pipeline_id"],
        deployment=row["deployment"],
        model_name=row["model_name"],
        enabled=bool(row["enabled"]),
        warn_passes=bool(row["warn_passes"]),
        golden=bool(row["golden"]),
    )


def decision(row: sqlite3.Row) -> Decision:
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
        handed_at=instant(row["handed_at"]),
        replaces=row["replaces"],
    )


def measured(row: sqlite3.Row) -> Measured:
    return Measured(
        run_id=row["run_id"],
        training_run_id=row["training_run_id"],
        model_id=row["model_id"],
        metrics=json.loads(row["metrics"]),
    )
