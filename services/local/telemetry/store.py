"""The one DuckDB file telemetry is kept in. Only the telemetry server opens it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from services.app_insights.repair import Row
from services.local.telemetry import damaged_file, tables

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

MEMORY_LIMIT = "1GB"
BATCHES_KEPT = "7 days"  # how long a batch that was sent twice is recognised


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one post, and the name its sender gave it; empty when it gave none."""

    rows: Sequence[Row]
    id: str = ""


class TelemetryStore:
    """What `append` has returned from survives the end of the process, however it ends.

    One thread may append while others query, each through a `cursor` of its own.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            OperationFailedError: it is damaged, or another process has it open; it is left
                as it is, and a copy of a damaged one is kept.
            UnavailableError: the disk is full.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._writer = duckdb.connect(path)
            path.chmod(0o600)
            self._writer.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY_LIMIT}'")
            for statement in tables.schema_statements():
                self._writer.execute(statement)
            # Nobody who may ask a query may thereby read or write files.
            self._writer.execute(
                "SET enable_external_access = false; SET lock_configuration = true"
            )
        except duckdb.Error as error:
            raise damaged_file.not_opened(path, error) from error

    def append(self, batches: Sequence[Batch]) -> None:
        """Store all batches in one transaction, or none.

        Raises:
            duckdb.Error: nothing was stored, for instance because the disk is full.
        """
        rows: dict[str, list[Mapping[str, Any]]] = {}
        for batch in batches:
            for table, values in batch.rows:
                rows.setdefault(table, []).append(values)
        with _transaction(self._writer) as db:
            for table, arrived in rows.items():
                _insert(db, f'stored."{table}"', _arrow(table, arrived))
            if named := [batch.id for batch in batches if batch.id]:
                _insert(db, "stored.batches", _arrow_of_batches(named))

    def has_batch(self, batch_id: str) -> bool:
        """Whether a batch of this name was stored. Names are kept for some days."""
        found = self.cursor().execute("SELECT 1 FROM stored.batches WHERE id = ?", [batch_id])
        return found.fetchone() is not None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of the caller's own; it sees what is committed when a query starts."""
        return self._writer.cursor()

    def delete_before(self, instant: datetime) -> int:
        """Forget rows older than `instant`; returns how many."""
        limit = instant.astimezone(UTC).replace(tzinfo=None)
        deleted = 0
        with _transaction(self._writer) as db:
            for table in tables.TABLES:
                statement = f'DELETE FROM stored."{table}" WHERE "timestamp" < ?'
                found = db.execute(statement, [limit]).fetchone()
                deleted += int(found[0]) if found else 0
            db.execute(
                "DELETE FROM stored.batches WHERE received < "
                f"(now() AT TIME ZONE 'UTC') - INTERVAL '{BATCHES_KEPT}'"
            )
        return deleted

    def close(self) -> None:
        """Write everything into the file itself and close it."""
        self._writer.close()


@contextmanager
def _transaction(db: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    db.execute("BEGIN TRANSACTION")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _insert(db: duckdb.DuckDBPyConnection, target: str, rows: pa.Table) -> None:
    db.register("arriving", rows)
    try:
        db.execute(f"INSERT INTO {target} BY NAME SELECT * FROM arriving")
    finally:
        db.unregister("arriving")


def _arrow(table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    import pyarrow as pa

    types = {
        tables.TEXT: pa.string(),
        tables.JSON: pa.string(),
        tables.INSTANT: pa.timestamp("us"),
        tables.NUMBER: pa.float64(),
        tables.COUNT: pa.int32(),
        tables.TRUTH: pa.bool_(),
    }
    return pa.table(
        {
            name: pa.array(list(map(itemgetter(name), rows)), types[kind])
            for name, kind in tables.STORED[table].items()
        }
    )


def _arrow_of_batches(ids: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    received = datetime.now(UTC).replace(tzinfo=None)
    return pa.table({"id": ids, "received": pa.array([received] * len(ids), pa.timestamp("us"))})
