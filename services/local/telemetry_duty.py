"""Keeps the telemetry server running for as long as the workspace's supervisor does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, Program
from services.local.store import Store
from services.local.telemetry import identity


class TelemetryDuty(Duty):
    def __init__(self, home: Path, store: Store, *, clock: Clock = utc_now) -> None:
        self._home = home
        self._store = store

    def programs(self) -> Sequence[Program]:
        address = identity.base_url(self._store)
        return (
            Program(
                key="telemetry",
                module="services.local.telemetry_server",
                args=(str(self._home), "telemetry"),
                log=self._home / "logs" / "telemetry.log",
                server=True,
                health_url=f"{address}/health" if address else None,
                grace_s=8.0,  # it stores what it was sent and closes its file
            ),
        )

    def exited(self, exit: Exit) -> None:
        """Nothing to record: it is wanted as long as the workspace is open."""
