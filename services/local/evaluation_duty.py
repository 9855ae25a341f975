"""Has every evaluation answered once, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.local import evaluations, full_disk
from services.local.automl.pool import ONE_THREAD
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.evaluation_worker import ASK_AGAIN
from services.local.store import Store

PREFIX = "evaluation/"


class EvaluationDuty(Duty):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock

    def programs(self) -> Sequence[Program]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id, created_at FROM evaluations WHERE ended_at IS NULL"
                " ORDER BY created_at, id LIMIT 1"
            ).fetchall()
        return tuple(self._program(row["id"], row["created_at"]) for row in rows)

    def exited(self, exit: Exit) -> None:
        """A worker records its own end; one that could not is told of here."""
        if exit.cause is ExitCause.UNWANTED:
            return
        reason = (
            "Looking at the predictions ended before there was a result; ask again."
            if exit.cause is ExitCause.ITSELF
            else "Looking at the predictions was interrupted with the workspace; ask again."
        )
        if full_disk.ended(exit):
            reason = full_disk.told(ASK_AGAIN)
        evaluation_id = exit.key.removeprefix(PREFIX)
        evaluations.finish(self._store, evaluation_id, error=reason, clock=self._clock)

    def _program(self, evaluation_id: str, asked_at: str) -> Program:
        return Program(
            key=f"{PREFIX}{evaluation_id}",
            module="services.local.evaluation_worker",
            args=(str(self._home), evaluation_id),
            log=self._home / "logs" / "evaluations.log",
            server=False,
            generation=asked_at,  # asked again after a failure, it is another one
            env=ONE_THREAD,
            grace_s=1.0,
        )
