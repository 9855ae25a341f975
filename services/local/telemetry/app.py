"""Application Insights on loopback: the ingestion and query addresses, as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.app_insights import repair, wire
from services.errors import InvalidRequestError, ServiceError, UnavailableError
from services.local.telemetry import damaged_file, runner
from services.local.telemetry.access import Access
from services.local.telemetry.ingestion import Ingestion
from services.local.telemetry.store import TelemetryStore

log = logging.getLogger(__name__)

# Microsoft's exporter adds a slash to an endpoint that ends with one.
INGESTION = ("/v2/track", "/v2.1/track", "//v2/track", "//v2.1/track")
BODY_LIMIT_BYTES = 32 * 1024 * 1024
ON_LOOP_BYTES = 128 * 1024  # larger posts are read on a thread, so that others are not delayed
QUERIES_AT_ONCE = 4
QUERIES_QUEUED = 64
LONGEST_QUERY_S = 180.0
TEST_EVERY_S = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


Tests = Callable[[], Sequence[wire.Envelope]]


def application(
    store: TelemetryStore, access: Access, *, retention: timedelta, tests: Tests = tuple
) -> Starlette:
    """The ASGI application. As it ends it stores what it took in, and closes the store.

    Args:
        retention: rows older than this are deleted once a day.
        tests: makes the availability tests that are due, every half minute; it may block.
    """
    service = _Service(store, access, tests)
    return Starlette(
        routes=[
            Route("/health", service.health),
            *(Route(path, service.track, methods=["POST"]) for path in INGESTION),
            Route("/v1/apps/{app_id}/query", service.query, methods=["POST"]),
        ],
        lifespan=lambda _: service.running(retention),
    )


class _Service:
    def __init__(self, store: TelemetryStore, access: Access, tests: Tests) -> None:
        self._store = store
        self._access = access
        self._tests = tests
        self._ingestion = Ingestion(store)
        self._readers = ThreadPoolExecutor(QUERIES_AT_ONCE, thread_name_prefix="query")
        self._query_count = 0

    @contextlib.asynccontextmanager
    async def running(self, retention: timedelta) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._ingestion.run()),
            asyncio.create_task(self._forget_daily(retention)),
            asyncio.create_task(self._test_regularly()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._ingestion.close()
            self._readers.shutdown(cancel_futures=True)
            self._store.close()

    async def _forget_daily(self, retention: timedelta) -> None:
        while True:
            deleted = await self._ingestion.forget(datetime.now(UTC) - retention)
            if deleted:
                log.info("deleted %d rows older than %d days", deleted, retention.days)
            await asyncio.sleep(timedelta(days=1).total_seconds())

    async def _test_regularly(self) -> None:
        while True:
            try:
                rows = [repair.row(each) for each in await asyncio.to_thread(self._tests)]
                await self._ingestion.store([row for row in rows if row is not None])
            except ServiceError as error:
                log.warning("availability could not be tested: %s", error)
            await asyncio.sleep(TEST_EVERY_S)

    async def health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    # --- taking in ---

    async def track(self, request: Request) -> Response:
        try:
            _check_host(request)
            body = await _body(request)
            encoding = request.headers.get("content-encoding", "")
            received, rows, errors = await self._read(body, encoding)
            await self._ingestion.store(
                rows,
                batch_id=request.headers.get("x-batch-id", "")[:100],
                again=request.headers.get("x-batch-attempt", "1") != "1",
            )
        except wire.BodyTooLargeError as error:
            return _json(_nothing_taken(413, str(error)), 413)
        except InvalidRequestError as error:
            return _json(_nothing_taken(400, str(error)), 400)
        except UnavailableError as error:
            return _json(_nothing_taken(429, str(error)), 429, {"Retry-After": "1"})
        except ClientDisconnect:
            return Response(status_code=400)
        status, told = wire.answer(received, errors)
        return _json(told, status)

    async def _read(
        self, body: bytes, encoding: str
    ) -> tuple[int, list[repair.Row], dict[int, str]]:
        if len(body) <= ON_LOOP_BYTES and not encoding:
            return self._rows(body, encoding)
        return await asyncio.to_thread(self._rows, body, encoding)

    def _rows(self, body: bytes, encoding: str) -> tuple[int, list[repair.Row], dict[int, str]]:
        """How many items came, the rows to store, and by position what is wrong with the rest."""
        items = wire.decode(body, content_encoding=encoding).items
        rows: list[repair.Row] = []
        errors: dict[int, str] = {}
        accepted: object = None  # the key of the items so far: a sender has one
        for position, item in enumerate(items):
            try:
                if isinstance(item, str):
                    raise InvalidRequestError(item)
                key = item.get("iKey")
                if key is None or key != accepted:
                    self._check_key(key)
                    accepted = key
                row = repair.row(item)
            except InvalidRequestError as error:
                errors[position] = str(error)
            else:
                if row is not None:
                    rows.append(row)
        return len(items), rows, errors

    def _check_key(self, given: object) -> None:
        if not _same(str(given or "").lower(), self._access.instrumentation_key):
            raise InvalidRequestError("The instrumentation key is not this workspace's.")

    # --- answering ---

    async def query(self, request: Request) -> Response:
        try:
            _check_host(request)
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not _same(given, self._access.query_token):
                return _refused(401, "InvalidTokenError", "The token is not this workspace's.")
            if request.path_params["app_id"] != self._access.application_id:
                return _refused(404, "PathNotFoundError", "There is no such application.")
            kql = _query_text(await _body(request))
            if self._query_count >= QUERIES_QUEUED:
                return _refused(429, "ThrottledError", "Too many queries.", {"Retry-After": "1"})
            return await self._answer(kql, _time_limit(request))
        except InvalidRequestError as error:
            return _refused(
                400, "BadArgumentError", "The request had some invalid properties", inner=str(error)
            )
        except UnavailableError as error:
            return _refused(504, "GatewayTimeout", str(error))
        except damaged_file.DamagedFileError as error:
            log.error("a query met a damaged file: %s", error)
            told = await asyncio.to_thread(damaged_file.sentence, self._store.path, error)
            return _refused(507, damaged_file.CODE, told)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _answer(self, kql: str, timeout_s: float) -> Response:
        self._query_count += 1
        try:
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._readers, self._asked, kql, timeout_s)
        finally:
            self._query_count -= 1
        return Response(body, media_type="application/json")

    def _asked(self, kql: str, timeout_s: float) -> bytes:
        with self._store.cursor() as cursor:
            answer = runner.run(cursor, kql, timeout_s=timeout_s)
        columns = [{"name": name, "type": kind} for name, kind in answer.columns]
        told: dict[str, Any] = {
            "tables": [{"name": "PrimaryResult", "columns": columns, "rows": answer.rows}]
        }
        if answer.truncated:
            limit = f"The answer holds the first {runner.ROW_LIMIT:,} rows only."
            told["error"] = {
                "code": "PartialError",
                "message": "There were some errors when processing your query.",
                "details": [{"code": "EngineError", "message": limit}],
            }
        return orjson.dumps(told, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)


def _check_host(request: Request) -> None:
    """A page of another site may point its own name at us; it cannot choose this header."""
    if request.url.hostname not in LOOPBACK:
        raise InvalidRequestError("This server answers to its loopback address only.")


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            raise wire.BodyTooLargeError(f"A body holds at most {BODY_LIMIT_BYTES >> 20} MB.")
        chunks.append(chunk)
    return b"".join(chunks)


def _query_text(body: bytes) -> str:
    try:
        asked = orjson.loads(body)
    except ValueError as error:
        raise InvalidRequestError("The body is not JSON.") from error
    kql = asked.get("query") if isinstance(asked, dict) else None
    if not isinstance(kql, str) or not kql.strip():
        raise InvalidRequestError("The query is empty.")
    return kql


def _time_limit(request: Request) -> float:
    """Seconds, from ``Prefer: wait=30``."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        seconds = wire.number(value) if name == "wait" else None
        if seconds and seconds > 0:
            return min(seconds, LONGEST_QUERY_S)
    return LONGEST_QUERY_S


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode(), expected.encode())


def _nothing_taken(status: int, message: str) -> dict[str, Any]:
    return {
        "itemsReceived": 0,
        "itemsAccepted": 0,
        "errors": [{"index": 0, "statusCode": status, "message": message}],
    }


def _refused(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, *, inner: str = ""
) -> Response:
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": "SemanticError", "message": inner}
    return _json({"error": error}, status, headers)


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body), status_code=status, media_type="application/json", headers=headers
    )
