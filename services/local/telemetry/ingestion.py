"""Taking posts in: rows of several posts are stored together, and acknowledged once stored."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import duckdb

from services.app_insights.repair import Row
from services.errors import UnavailableError
from services.local.telemetry.store import Batch, TelemetryStore

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.25
QUEUE_LIMIT = 150_000  # rows waiting to be stored; more are refused until some are
DAMAGED = 74  # exit code: the file can no longer be written (EX_IOERR)

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Ingestion:
    """Runs in the server's event loop; only storing happens on a thread."""

    def __init__(self, store: TelemetryStore) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: list[tuple[Batch, asyncio.Future[None]]] = []
        self._row_count = 0
        self._in_flight: dict[str, asyncio.Future[None]] = {}
        self._arrived = asyncio.Event()

    async def store(self, rows: Sequence[Row], *, batch_id: str = "", again: bool = False) -> None:
        """Return once the rows are stored; a batch that was stored before is not stored twice.

        Args:
            batch_id: what the sender calls this post; empty when it does not say.
            again: the sender has posted it before and does not know what became of it.

        Raises:
            UnavailableError: too much is waiting, or it could not be stored.
        """
        if not rows:
            return
        if batch_id and batch_id in self._in_flight:
            return await asyncio.shield(self._in_flight[batch_id])
        if self._row_count + len(rows) > QUEUE_LIMIT:
            raise UnavailableError("Telemetry arrives faster than it can be stored.")
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if batch_id:
            self._in_flight[batch_id] = stored
            stored.add_done_callback(lambda _: self._in_flight.pop(batch_id, None))
        try:
            if batch_id and again and await self._on_thread(self._store.has_batch, batch_id):
                stored.set_result(None)
                return
        except BaseException:
            stored.cancel()
            raise
        self._row_count += len(rows)
        self._waiting.append((Batch(rows, batch_id), stored))
        self._arrived.set()
        await asyncio.shield(stored)

    async def run(self) -> None:
        """Store what arrives, at most once per `COMMIT_EVERY_S`, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            began = time.monotonic()
            await self._commit()
            await asyncio.sleep(COMMIT_EVERY_S - (time.monotonic() - began))

    async def forget(self, before: datetime) -> int:
        """Delete rows older than `before`; returns how many."""
        return await self._on_thread(self._store.delete_before, before)

    async def close(self) -> None:
        """Store what is left."""
        await self._commit()
        self._writer.shutdown()

    async def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        self._row_count -= sum(len(batch.rows) for batch, _ in waiting)
        try:
            await self._on_thread(self._store.append, [batch for batch, _ in waiting])
        except duckdb.FatalException:
            # The open database refuses everything from now on; a new process may recover it.
            log.exception("the telemetry file can no longer be written")
            os._exit(DAMAGED)
        except duckdb.Error as error:
            log.exception("%d posts could not be stored", len(waiting))
            for _, stored in waiting:
                failure = UnavailableError("Telemetry could not be stored.")
                failure.__cause__ = error
                _settle(stored, failure)
        else:
            for _, stored in waiting:
                _settle(stored, None)

    async def _on_thread(self, work: Callable[[_In], _Out], argument: _In) -> _Out:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, argument)


def _settle(stored: asyncio.Future[None], failure: UnavailableError | None) -> None:
    if stored.done():
        return
    if failure is None:
        stored.set_result(None)
    else:
        stored.set_exception(failure)
        stored.exception()  # its caller may have gone; then nobody else looks at it
