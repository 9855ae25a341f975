"""Has every run of a held pipeline judged once, and deployed once somebody approved it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services.local import full_disk
from services.local.automl.pool import ONE_THREAD
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.retraining_loop import LocalRetrainingLoop
from services.local.store import Store
from services.retraining_policy import DecisionState

PREFIX = "retrained/"
AT_ONCE = 1  # it loads a model


class RetrainDuty(Duty):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._loop = LocalRetrainingLoop(home, store, clock=clock)

    def programs(self) -> Sequence[Program]:
        return tuple(
            Program(
                key=f"{PREFIX}{row['run_id']}",
                module="services.local.retrain_worker",
                args=(str(self._home), row["run_id"]),
                log=self._home / "logs" / "retraining.log",
                server=False,
                generation=f"{row['state']}-{row['attempt']}",
                env=ONE_THREAD,
                grace_s=1.0,
            )
            for row in self._loop.at_work()[:AT_ONCE]
        )

    def exited(self, exit: Exit) -> None:
        """A worker records its own end; one that was lost is started again."""
        run_id = exit.key.removeprefix(PREFIX)
        at_work = {row["run_id"]: row for row in self._loop.at_work()}
        row = at_work.get(run_id)
        if row is None or exit.generation != f"{row['state']}-{row['attempt']}":
            return
        if exit.cause is ExitCause.ITSELF:
            error = "The worker ended before it was done; its log says why."
            if full_disk.ended(exit):
                error = full_disk.told("submit the pipeline again")
            self._loop.end(run_id, DecisionState.FAILED, error=error)
        elif exit.cause is not ExitCause.UNWANTED:
            self._loop.again(run_id)

    def tick(self, now: datetime) -> None:
        self._loop.begin()
