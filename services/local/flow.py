"""The whole flow as the operator sees it: asked for here, performed by ``flow_worker``."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from services.domain import FlowProgress, FlowStep, FlowStepState
from services.errors import ConflictError
from services.local.audit import record
from services.local.clock import Clock, utc_now
from services.local.flow_steps import STEPS
from services.local.store import Store, instant, stamp
from services.ports import Flow


class LocalFlow(Flow):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock

    def progress(self) -> FlowProgress:
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM flow_steps ORDER BY position").fetchall()
        steps = tuple(map(_step, rows)) or tuple(
            FlowStep(key=step.key, title=step.title, state=FlowStepState.WAITING) for step in STEPS
        )
        started = min((step.started_at for step in steps if step.started_at), default=None)
        if rows and started is None:
            started = self._asked_at()
        return FlowProgress(
            steps=steps,
            started_at=started,
            ended_at=_ended(steps),
            error=next((step.detail for step in steps if step.state is FlowStepState.FAILED), ""),
        )

    def begin(self) -> FlowProgress:
        if self.progress().running:
            raise ConflictError("The flow is running: it can be started again when it has ended.")
        with self._store.transaction() as db:
            db.execute("DELETE FROM flow_steps")
            db.executemany(
                "INSERT INTO flow_steps (position, key, title, state) VALUES (?, ?, ?, ?)",
                [
                    (position, step.key, step.title, FlowStepState.WAITING)
                    for position, step in enumerate(STEPS)
                ],
            )
            db.execute(
                "INSERT INTO settings (name, value) VALUES ('flow_asked_at', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (stamp(self._clock()),),
            )
            record(db, action="flow.begin", subject="workspace/flow")
        return self.progress()

    def _asked_at(self) -> datetime | None:
        return instant(self._store.setting("flow_asked_at"))


def _ended(steps: tuple[FlowStep, ...]) -> datetime | None:
    """When the last step was done, or the one that failed; None while it goes on."""
    failed = [step.ended_at for step in steps if step.state is FlowStepState.FAILED]
    if failed:
        return failed[0]
    return steps[-1].ended_at if steps[-1].state is FlowStepState.DONE else None


def _step(row: sqlite3.Row) -> FlowStep:
    return FlowStep(
        key=row["key"],
        title=row["title"],
        state=FlowStepState(row["state"]),
        detail=row["detail"],
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        result_id=row["result_id"],
    )
