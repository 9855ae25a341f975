"""Keeps the watcher running for as long as the workspace's supervisor does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, Program
from services.local.store import Store


class WatchDuty(Duty):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home

    def programs(self) -> Sequence[Program]:
        return (
            Program(
                key="watcher",
                module="services.local.watcher",
                args=(str(self._home), "watcher"),
                log=self._home / "logs" / "watcher.log",
                server=True,
                env={"OMP_NUM_THREADS": "1"},
            ),
        )

    def exited(self, exit: Exit) -> None:
        """Nothing to record: what it had claimed it takes up again when it is back."""
