"""Keeps a worker on every AutoML run that is due, and ends runs whose worker is gone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services.domain import RunKind, RunStatus
from services.local import full_disk
from services.local.automl.pool import ONE_THREAD
from services.local.automl_run import SCRATCH
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.process_table import ProcessTable
from services.local.run_journal import MAIN_LOG, RunJournal
from services.local.runs import worker_key
from services.local.store import Store
from services.local.training_worker import START_AGAIN

RUNS_AT_ONCE = 2  # more would only slow each other down; the others stay Queued

_REASONS = {
    ExitCause.SHUTDOWN: "The workspace was stopped while this run was training; start it again.",
    ExitCause.LOST: "The training worker disappeared together with the workspace's supervisor; "
    "start the run again.",
}


def _reason(exit: Exit) -> str:
    if full_disk.ended(exit):
        return full_disk.told(START_AGAIN)
    told = f"The training worker disappeared: it {exit.how}. Its log may say why; start it again."
    return _REASONS.get(exit.cause, told)


class RunDuty(Duty):
    """The oldest unsettled runs have a worker each, once; one asked to end has none."""

    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store
        self._journal = RunJournal(home, store, clock=clock)
        self._table = ProcessTable(store)

    def tick(self, now: datetime) -> None:
        """Settle runs that were asked to end and have no worker to do it."""
        for run_id in self._unsettled(asked_to_end=True):
            worker = self._table.observed(worker_key(run_id))
            if worker is None or worker.exited_at is not None:
                self._end(run_id, RunStatus.CANCELED)

    def programs(self) -> Sequence[Program]:
        due = self._unsettled(asked_to_end=False)[:RUNS_AT_ONCE]
        return [
            Program(
                key=worker_key(run_id),
                module="services.local.training_worker",
                args=(str(self._home), run_id),
                log=self._journal.folder(run_id) / MAIN_LOG,
                server=False,
                env=ONE_THREAD,
                grace_s=1.0,
            )
            for run_id in due
        ]

    def exited(self, exit: Exit) -> None:
        run_id = exit.key.removeprefix(worker_key(""))
        if self._journal.cancel_requests(run_id):
            self._end(run_id, RunStatus.CANCELED)
        elif exit.cause is not ExitCause.UNWANTED:  # settled runs are left as they are
            self._end(run_id, RunStatus.FAILED, _reason(exit))

    def _end(self, run_id: str, status: RunStatus, error: str = "") -> None:
        self._journal.settle(run_id, status, error=error)
        shutil.rmtree(self._journal.folder(run_id) / SCRATCH, ignore_errors=True)

    def _unsettled(self, *, asked_to_end: bool) -> list[str]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id FROM runs WHERE kind = ?"
                " AND status NOT IN ('Completed', 'Failed', 'Canceled')"
                " AND (cancel_requested_at IS NOT NULL) = ? ORDER BY created_at",
                (RunKind.AUTOML, asked_to_end),
            ).fetchall()
        return [row["id"] for row in rows]
