"""What was decided about this deployment, read from the store; what is served, reported to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.local import deployment_rows
from services.local.clock import Clock, utc_now
from services.local.processes import ProcessRef
from services.local.serving.keyring import KeyRing
from services.local.store import Store, instant


@dataclass(frozen=True, slots=True)
class Decided:
    """The deployment's row, and who may score."""

    row: sqlite3.Row
    temporary: Mapping[str, datetime]

    @property
    def generation(self) -> int:
        return int(self.row["generation"])

    @property
    def model_id(self) -> str:
        return str(self.row["model_id"])

    @property
    def telemetry(self) -> bool:
        return bool(self.row["telemetry_enabled"])

    @property
    def plans_keys(self) -> bool:
        return bool(self.row["next_primary_key"] or self.row["next_secondary_key"])

    @property
    def keys(self) -> KeyRing:
        """Planned keys count from the moment they are read: the old ones are refused."""
        row = self.row
        return KeyRing(
            required=bool(row["auth_enabled"]),
            primary=str(row["next_primary_key"] or row["primary_key"]).encode(),
            secondary=str(row["next_secondary_key"] or row["secondary_key"]).encode(),
            temporary=self.temporary,
        )


class Decisions:
    """One server's view of the store."""

    def __init__(self, store: Store, name: str, *, clock: Clock = utc_now) -> None:
        self.store = store
        self.name = name
        self._clock = clock
        self._seen: object = None

    def changed(self) -> bool:
        """Whether the workspace's file was written since this was asked last."""
        seen = tuple(map(_mark, (self.store.path, self.store.path.with_name("workspace.db-wal"))))
        changed = seen != self._seen
        self._seen = seen
        return changed

    def read(self) -> Decided | None:
        """None when the deployment was deleted."""
        with self.store.reading() as db:
            row = deployment_rows.read(db, self.name)
            lent = db.execute(
                "SELECT sha256, expires_at FROM temporary_keys WHERE deployment = ?", (self.name,)
            ).fetchall()
        if row is None:
            return None
        ends = {each["sha256"]: instant(each["expires_at"]) for each in lent}
        return Decided(row, {key: at for key, at in ends.items() if at is not None})

    def report_address(self, decided: Decided, port: int) -> None:
        with self.store.transaction() as db:
            deployment_rows.report_address(db, self.name, decided.row["incarnation"], port)

    def report_serving(self, decided: Decided, ref: ProcessRef, core: Mapping[str, str]) -> None:
        with self.store.transaction() as db:
            deployment_rows.report_serving(db, decided.row, ref, core=core, at=self._clock())

    def adopt_keys(self, decided: Decided) -> None:
        with self.store.transaction() as db:
            deployment_rows.adopt_keys(db, decided.row, self._clock())

    def give_up(self, decided: Decided, reason: str) -> None:
        with self.store.transaction() as db:
            incarnation = decided.row["incarnation"]
            deployment_rows.give_up(db, self.name, incarnation, reason, self._clock())

    def take_back_model(self, decided: Decided, reason: str) -> None:
        with self.store.transaction() as db:
            deployment_rows.take_back_model(db, decided.row, reason, self._clock())


def _mark(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
