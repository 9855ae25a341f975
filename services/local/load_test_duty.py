"""Has each load test carried out once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.domain import LoadTestState
from services.local import full_disk, load_test_handover
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.load_tests import folder
from services.local.store import Store, stamp

log = logging.getLogger(__name__)

PREFIX = "load_test/"
TIDY_EVERY = timedelta(seconds=30)


class LoadTestDuty(Duty):
    def __init__(self, home: Path, store: Store, clock: Clock = utc_now) -> None:
        self._home, self._store, self._clock = home, store, clock
        self._tidied_at: datetime | None = None

    def programs(self) -> Sequence[Program]:
        with self._store.reading() as db:
            rows = db.execute("SELECT id FROM load_tests WHERE ended_at IS NULL").fetchall()
        return tuple(self._program(row["id"]) for row in rows)

    def tick(self, now: datetime) -> None:
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY_EVERY:
            self._tidied_at = now
            load_test_handover.discard_old(self._home / "load_tests")

    def exited(self, exit: Exit) -> None:
        """A worker records its own end; one that could not is told of here."""
        if exit.cause is ExitCause.UNWANTED:
            return
        reason = (
            "The load test ended before it could report; look at its log."
            if exit.cause is ExitCause.ITSELF
            else f"The load test was interrupted: {exit.cause}."
        )
        if full_disk.ended(exit):
            reason = full_disk.told("start it again")
        with self._store.transaction() as db:
            db.execute(
                "UPDATE load_tests SET ended_at = ?, outcome = ?, error = ?"
                " WHERE id = ? AND ended_at IS NULL",
                (
                    stamp(exit.at),
                    LoadTestState.FAILED,
                    reason,
                    exit.key.removeprefix(PREFIX),
                ),
            )

    def _program(self, load_test_id: str) -> Program:
        return Program(
            key=f"{PREFIX}{load_test_id}",
            module="services.local.load_test_worker",
            args=(str(self._home), load_test_id),
            log=folder(self._home, load_test_id) / "worker.log",
            server=False,
            grace_s=3.0,
        )
