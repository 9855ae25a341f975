"""Sending telemetry from a server: never in the way of a request, and not lost in between.

What is tracked goes to a file within a quarter of a second and from there to the service;
the file goes when the service has acknowledged it. With the service away, files wait, and
so do those of a process that was killed, for the next one on the same folder. A post keeps
its name when repeated, so that the local server recognises what it has already stored.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.app_insights import wire
from services.app_insights.connection import Connection
from services.app_insights.posting import Posting
from services.errors import InvalidRequestError

log = logging.getLogger(__name__)

QUEUE_LIMIT = 20_000  # items between two writes to disk
BATCH_BYTES = 512 * 1024
SPOOL_LIMIT_BYTES = 64 * 1024 * 1024
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0

# Asked again later. Anything else that is no success will not become one.
# Source: azure-monitor-opentelemetry-exporter 1.0.0b58, its retryable status codes.
AGAIN = frozenset({307, 308, 401, 402, 403, 408, 429, 439, 500, 502, 503, 504})


@dataclass(slots=True)
class _Batch:
    """The items of one post, as JSON lines. Once posted it never changes."""

    id: str
    path: Path
    size_bytes: int = 0
    attempts: int = 0
    body: bytes | None = None  # kept only where the file could not be written


class Sender:
    """Sends envelopes in the background, in order. `track` may be called from any thread."""

    def __init__(
        self,
        connection_string: str | Callable[[], str],
        *,
        spool: Path,
        role: str,
        instance: str = "",
        interval_s: float = 0.25,
        timeout_s: float = 5.0,
    ) -> None:
        """
        Args:
            connection_string: or a function that finds the present one, asked first and
                again after a failure; an empty one means nowhere for now.
            spool: folder of this sender's own; made when absent.
            role: becomes ``cloud_RoleName``: the deployment's name.
            interval_s: how long items gather before they are written and sent.
            timeout_s: of one post.
        """
        self._find = connection_string if callable(connection_string) else lambda: connection_string
        self._tags = {
            "ai.cloud.role": role,
            "ai.cloud.roleInstance": instance or os.uname().nodename,
        }
        self._spool = spool
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._queue: deque[wire.Envelope] = deque()
        self._dropped = 0
        self._posting = Posting()
        self._connection: Connection | None = None
        self._batches = deque(_left_behind(spool))
        self._gathering: _Batch | None = None
        self._pause_s = 0.0
        self._not_before = 0.0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def track(self, envelope: wire.Envelope) -> None:
        """Take one item. Returns at once; with too many waiting, the item is dropped."""
        if len(self._queue) >= QUEUE_LIMIT:
            self._dropped += 1
            return
        self._queue.append(envelope)
        if not self._wake.is_set():
            self._wake.set()

    @property
    def dropped_count(self) -> int:
        """Items given up: too many at once, too long without service, or refused."""
        return self._dropped

    @property
    def waiting_count(self) -> int:
        """Items and files not yet acknowledged. 0 means that everything has arrived."""
        return len(self._queue) + len(self._batches) + (self._gathering is not None)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is left to disk and send what can be sent in time. Call it last."""
        self._deadline = time.monotonic() + timeout_s
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s + 1.0)

    # --- the background thread ---

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._until_next_attempt())
            self._closing.wait(self._interval_s)
            self._wake.clear()
            self._step()
        self._step()
        self._posting.close()

    def _step(self) -> None:
        try:
            self._write()
            self._send()
        except Exception:  # telemetry must not end because of one bad item
            log.exception("telemetry could not be sent")
            self._back_off(None)

    def _until_next_attempt(self) -> float | None:
        if not self._batches and self._gathering is None:
            return None
        return max(0.0, self._not_before - time.monotonic())

    def _write(self) -> None:
        """Move what was tracked to the end of the file that is gathering."""
        lines: list[bytes] = []
        while self._queue:
            try:
                lines.append(self._line(self._queue.popleft()))
            except (TypeError, AttributeError) as error:
                self._dropped += 1
                log.error("a telemetry item cannot be written as JSON: %s", error)
        for body in _portions(lines):
            if self._gathering is None:
                self._gathering = self._new_batch()
            _append(self._gathering, body)
            if self._gathering.size_bytes >= BATCH_BYTES:
                self._finish_gathering()
        self._forget_oldest()

    def _line(self, envelope: wire.Envelope) -> bytes:
        tags = {**self._tags, **envelope.get("tags", {})}
        return orjson.dumps({**envelope, "tags": tags}, option=orjson.OPT_NON_STR_KEYS) + b"\n"

    def _new_batch(self) -> _Batch:
        # Names sort by time, so that another process sends the oldest first.
        name = f"{time.time_ns():020}-{uuid.uuid4()}"
        return _Batch(id=name, path=self._spool / f"{name}.jsonl")

    def _finish_gathering(self) -> None:
        if self._gathering is not None:
            self._batches.append(self._gathering)
            self._gathering = None

    def _forget_oldest(self) -> None:
        kept = sum(batch.size_bytes for batch in self._batches)
        while kept > SPOOL_LIMIT_BYTES and self._batches:
            oldest = self._batches.popleft()
            kept -= oldest.size_bytes
            self._give_up(oldest, "the spool is full")

    def _send(self) -> None:
        while time.monotonic() >= self._not_before or self._closing.is_set():
            if not self._batches:
                self._finish_gathering()
            remaining = min(self._timeout_s, self._deadline - time.monotonic())
            if not self._batches or remaining <= 0:
                return
            if not self._sent(self._batches[0], remaining):
                return
            self._batches.popleft()
            self._pause_s = 0.0

    def _sent(self, batch: _Batch, timeout_s: float) -> bool:
        """Whether the first batch is done with: acknowledged, or refused for good."""
        try:
            self._connection = self._connection or _usable(self._find())
            body = batch.path.read_bytes() if batch.body is None else batch.body
        except FileNotFoundError:  # another process on this folder has sent it
            return True
        if self._connection is None:
            self._back_off(None)
            return False
        batch.attempts += 1
        keyed = _with_key(body, self._connection.instrumentation_key)
        try:
            status, headers, told = self._posting.post(
                self._connection,
                keyed,
                name=batch.id,
                attempt=batch.attempts,
                timeout_s=timeout_s,
            )
        except (OSError, http.client.HTTPException) as error:
            if self._pause_s == 0.0:
                log.warning("telemetry cannot be reached (%s); it waits on disk", error)
            self._back_off(None)
            return False
        if status in AGAIN:
            self._back_off(headers.get("Retry-After"))
            return False
        self._settle(batch, status, told, body)
        return True

    def _settle(self, batch: _Batch, status: int, told: Mapping[str, Any], body: bytes) -> None:
        if status == 206:
            refused = [each for each in told.get("errors", ()) if isinstance(each, dict)]
            again = {each.get("index") for each in refused if each.get("statusCode") in AGAIN}
            lines = body.splitlines(keepends=True)
            if again:
                _append(batch_again := self._new_batch(), b"".join(_chosen(lines, again)))
                self._batches.append(batch_again)
            self._dropped += len(refused) - len(again)
            log.warning("%d of %d telemetry items were refused", len(refused), len(lines))
        elif status != 200:
            self._give_up(batch, f"the service answered {status}")
        _unlink(batch)

    def _give_up(self, batch: _Batch, why: str) -> None:
        with contextlib.suppress(OSError):
            body = batch.path.read_bytes() if batch.body is None else batch.body
            count = body.count(b"\n")
            self._dropped += count
            log.error("%d telemetry items are lost: %s", count, why)
        _unlink(batch)

    def _back_off(self, retry_after: str | None) -> None:
        doubled = max(FIRST_PAUSE_S, min(LONGEST_PAUSE_S, self._pause_s * 2))
        self._connection = None  # it may be another by then
        self._pause_s = wire.number(retry_after) or doubled
        self._not_before = time.monotonic() + self._pause_s * random.uniform(0.7, 1.0)


def _left_behind(spool: Path) -> list[_Batch]:
    """Files of an earlier process. They may have been sent, so they count as tried."""
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _Batch(id=path.stem, path=path, size_bytes=path.stat().st_size, attempts=1)
        for path in sorted(spool.glob("*.jsonl"))
    ]


def _portions(lines: Iterable[bytes]) -> Iterable[bytes]:
    """The lines joined into pieces of about `BATCH_BYTES`."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= BATCH_BYTES:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)


def _append(batch: _Batch, body: bytes) -> None:
    """Add lines to the batch's file, or keep them in memory where the disk takes no more."""
    batch.size_bytes += len(body)
    if batch.body is None:
        try:
            with batch.path.open("ab") as file:
                file.write(body)
            return
        except OSError as error:
            log.warning("telemetry is not kept on disk: %s", error)
            written = batch.path.read_bytes() if batch.path.exists() else b""
            batch.body = written[: batch.size_bytes - len(body)]
    batch.body += body


def _with_key(body: bytes, instrumentation_key: str) -> bytes:
    """The lines with the key each item carries; it is not written to disk."""
    key = b'{"iKey":' + orjson.dumps(instrumentation_key) + b","
    return b"".join(key + line[1:] for line in body.splitlines(keepends=True) if line[:1] == b"{")


def _usable(connection_string: str) -> Connection | None:
    if not connection_string:
        return None
    try:
        return Connection.parse(connection_string)
    except InvalidRequestError as error:
        log.error("telemetry is not sent: %s", error)
        return None


def _chosen(lines: Iterable[bytes], indexes: set[Any]) -> list[bytes]:
    return [line for index, line in enumerate(lines) if index in indexes]


def _unlink(batch: _Batch) -> None:
    with contextlib.suppress(OSError):
        batch.path.unlink()
