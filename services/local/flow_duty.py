"""Has the flow performed once each time it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.domain import FlowStepState
from services.local import full_disk
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.flow import LocalFlow
from services.local.runs import LocalRuns
from services.local.store import Store, stamp


class FlowDuty(Duty):
    def __init__(self, home: Path, store: Store, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock
        self._flow = LocalFlow(home, store, clock=clock)

    def programs(self) -> Sequence[Program]:
        if not self._flow.progress().running:
            return ()
        return (
            Program(
                key="flow",
                module="services.local.flow_worker",
                args=(str(self._home),),
                log=self._home / "logs" / "flow.log",
                server=False,
                generation=self._store.setting("flow_asked_at") or "",
            ),
        )

    def exited(self, exit: Exit) -> None:
        if exit.cause is ExitCause.UNWANTED or not self._flow.progress().running:
            return
        with self._store.transaction() as db:
            interrupted = db.execute(
                "UPDATE flow_steps SET state = ?, ended_at = ?, detail = ? WHERE position ="
                " (SELECT min(position) FROM flow_steps WHERE state IN (?, ?)) RETURNING *",
                (
                    FlowStepState.FAILED,
                    stamp(exit.at),
                    _reason(exit),
                    FlowStepState.RUNNING,
                    FlowStepState.WAITING,
                ),
            ).fetchone()
        if interrupted["key"] == "training" and interrupted["result_id"]:
            LocalRuns(self._home, self._store).cancel(interrupted["result_id"])


def _reason(exit: Exit) -> str:
    if full_disk.ended(exit):
        return full_disk.told("run the flow again")
    if exit.cause is not ExitCause.ITSELF:
        return f"The flow was interrupted: {exit.cause}. Run it again."
    return f"The flow's worker {exit.how} before the step was done. Run the flow again."
