"""The Application Insights wire format: the items senders post, and what the service answers.

An *envelope* is one item. Its ``data.baseData`` says what happened, its ``tags`` where. The
builders here make the envelopes our own programs send; `Sender` adds the instrumentation key
and the role. `decode` reads a posted body, whoever made it.

Source: azure-rest-api-specs, applicationinsights data-plane, ingestion ``swagger.json`` v2.1.
"""

from __future__ import annotations

import json
import math
import re
import traceback
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.errors import InvalidRequestError

Envelope = dict[str, Any]

MESSAGE_LIMIT = 32_768  # characters of one message; the service cuts what is longer
PROPERTY_LIMIT = 8_192
NAME_LIMIT = 150
ITEM_LIMIT_BYTES = 65_536
BATCH_LIMIT = 64_000  # items of one post
INFLATE_LIMIT_BYTES = 64 * 1024 * 1024

VERBOSE, INFORMATION, WARNING, ERROR, CRITICAL = range(5)
SEVERITIES = ("Verbose", "Information", "Warning", "Error", "Critical")


class BodyTooLargeError(InvalidRequestError):
    """A posted body is larger than the service takes, as sent or once inflated."""


# --- durations and instants -------------------------------------------------------


def duration_text(duration_ms: float) -> str:
    """A duration as ``D.HH:MM:SS.ffffff``, to the microsecond."""
    microseconds = round(duration_ms * 1000)
    seconds, fraction = divmod(microseconds, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day}.{hour:02}:{minute:02}:{second:02}.{fraction:06}"


_DURATION = re.compile(r"(?:(\d{1,9})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)")


def duration_ms(text: str) -> float:
    """Milliseconds in ``[D.]HH:MM:SS[.fffffff]``.

    Raises:
        InvalidRequestError: it is not of that form.
    """
    match = _DURATION.fullmatch(text) or _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidRequestError(f"“{text[:40]}” is no duration; it is written D.HH:MM:SS.ffffff.")
    day, hour, minute, second = match.groups()
    if hour == minute == "00" and (day is None or day == "0"):  # nearly always
        return round(float(second) * 1000.0, 4)
    minutes = (int(day or 0) * 24 + int(hour)) * 60 + int(minute)
    return round(minutes * 60_000.0 + float(second) * 1000.0, 4)  # the wire counts 100 ns


def instant_text(at: datetime) -> str:
    """An instant as the wire and KQL write it: UTC, microseconds, ``Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(text: str) -> datetime:
    """The UTC instant in an ISO 8601 text; one without an offset is UTC.

    Raises:
        InvalidRequestError: it is no ISO 8601 instant.
    """
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"“{text[:40]}” is no ISO 8601 instant.") from error


# --- what our programs send -------------------------------------------------------


def request_envelope(
    *,
    at: datetime,
    request_id: str,
    name: str,
    url: str,
    duration_ms: float,
    result_code: str,
    success: bool | None = None,
    operation_id: str = "",
    properties: Mapping[str, str] | None = None,
    measurements: Mapping[str, float] | None = None,
) -> Envelope:
    """One answered request.

    Args:
        at: when the request arrived.
        name: method and path, ``POST /score``.
        duration_ms: until the answer was sent, milliseconds.
        result_code: the HTTP status as text.
        success: None: whether the status is below 400.
        operation_id: what ties traces and exceptions to it; `request_id` when empty.
    """
    succeeded = _below_400(result_code) if success is None else success
    return _envelope(
        "Request",
        at,
        {
            "ver": 2,
            "id": request_id,
            "name": name[:1024],
            "url": url[:2048],
            "duration": duration_text(duration_ms),
            "responseCode": result_code,
            "success": succeeded,
            "properties": _properties({"Request Id": request_id, **(properties or {})}),
            "measurements": _finite(measurements or {}),
        },
        operation_id=operation_id or request_id,
        operation_name=name,
    )


def trace_envelope(
    *,
    at: datetime,
    message: str,
    severity: int = INFORMATION,
    operation_id: str = "",
    properties: Mapping[str, str] | None = None,
) -> Envelope:
    """One line a program printed or logged; what exceeds `MESSAGE_LIMIT` is cut and said so."""
    described = dict(properties or {})
    if len(message) > MESSAGE_LIMIT:
        described["Truncated From"] = str(len(message))
    return _envelope(
        "Message",
        at,
        {
            "ver": 2,
            "message": message[:MESSAGE_LIMIT],
            "severityLevel": severity,
            "properties": _properties(described),
        },
        operation_id=operation_id,
    )


def exception_envelope(
    *,
    at: datetime,
    error: BaseException,
    operation_id: str = "",
    properties: Mapping[str, str] | None = None,
) -> Envelope:
    """One exception with its stack, innermost call first."""
    frames = traceback.extract_tb(error.__traceback__)[-50:]
    stack = [
        {
            "level": level,
            "method": frame.name,
            "fileName": frame.filename[-256:],
            "line": frame.lineno or 0,
        }
        for level, frame in enumerate(reversed(frames))
    ]
    kind = type(error).__qualname__
    return _envelope(
        "Exception",
        at,
        {
            "ver": 2,
            "severityLevel": ERROR,
            "problemId": f"{kind} at {frames[-1].name}" if frames else kind,
            "exceptions": [
                {
                    "id": 1,
                    "typeName": kind[:1024],
                    "message": (str(error) or kind)[:MESSAGE_LIMIT],
                    "hasFullStack": True,
                    "parsedStack": stack,
                }
            ],
            "properties": _properties(properties or {}),
        },
        operation_id=operation_id,
    )


def availability_envelope(
    *,
    at: datetime,
    test_id: str,
    name: str,
    duration_ms: float,
    success: bool,
    location: str,
    message: str = "",
    properties: Mapping[str, str] | None = None,
) -> Envelope:
    """One probe of an endpoint, made so that an idle deployment can be told from a dead one."""
    return _envelope(
        "Availability",
        at,
        {
            "ver": 2,
            "id": test_id,
            "name": name[:1024],
            "duration": duration_text(duration_ms),
            "success": success,
            "runLocation": location[:1024],
            "message": message[:8192],
            "properties": _properties(properties or {}),
        },
    )


def event_envelope(
    *,
    at: datetime,
    name: str,
    properties: Mapping[str, str] | None = None,
    measurements: Mapping[str, float] | None = None,
) -> Envelope:
    """Something that happened and has a name of its own."""
    return _envelope(
        "Event",
        at,
        {
            "ver": 2,
            "name": name[:512],
            "properties": _properties(properties or {}),
            "measurements": _finite(measurements or {}),
        },
    )


def _envelope(
    kind: str,
    at: datetime,
    data: dict[str, Any],
    *,
    operation_id: str = "",
    operation_name: str = "",
) -> Envelope:
    tags = {"ai.operation.id": operation_id, "ai.operation.name": operation_name[:1024]}
    return {
        "ver": 1,
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "time": instant_text(at),
        "sampleRate": 100.0,
        "tags": {tag: value for tag, value in tags.items() if value},
        "data": {"baseType": f"{kind}Data", "baseData": data},
    }


def _properties(properties: Mapping[str, str]) -> dict[str, str]:
    return {name[:NAME_LIMIT]: str(value)[:PROPERTY_LIMIT] for name, value in properties.items()}


def _finite(measurements: Mapping[str, float]) -> dict[str, float]:
    """JSON has no word for what is infinite or no number."""
    return {name: value for name, value in measurements.items() if math.isfinite(value)}


def _below_400(result_code: str) -> bool:
    return result_code.isdigit() and 0 < int(result_code) < 400


# --- what a service receives ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posted:
    """The items of one post; in place of an item that is no JSON object, why it is refused."""

    items: tuple[Envelope | str, ...]


def decode(
    body: bytes, *, content_encoding: str = "", limit_bytes: int = INFLATE_LIMIT_BYTES
) -> Posted:
    """Read a posted body: a JSON array, one JSON object, or one object per line.

    Args:
        content_encoding: the header of that name; ``gzip`` and ``deflate`` are understood.
        limit_bytes: refuse a body that inflates to more.

    Raises:
        BodyTooLargeError: it inflates to more than `limit_bytes`, or holds too many items.
        InvalidRequestError: it cannot be inflated, or nothing in it is JSON.
    """
    text = _inflated(body, content_encoding.strip().lower(), limit_bytes).strip()
    if not text:
        raise InvalidRequestError("The body is empty; it holds at least one telemetry item.")
    items = _items(text)
    if len(items) > BATCH_LIMIT:
        raise BodyTooLargeError(f"A post holds at most {BATCH_LIMIT:,} items.")
    return Posted(tuple(items))


def _inflated(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    if encoding in ("", "identity"):
        if len(body) > limit_bytes:
            raise BodyTooLargeError(f"A body holds at most {limit_bytes >> 20} MB.")
        return body
    if encoding not in ("gzip", "deflate"):
        raise InvalidRequestError(f"A body encoded as “{encoding[:20]}” cannot be read; send gzip.")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header
    try:
        inflated = inflater.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise InvalidRequestError(f"The body is not valid {encoding}.") from error
    if len(inflated) > limit_bytes:
        raise BodyTooLargeError(f"A body inflates to at most {limit_bytes >> 20} MB.")
    if not inflater.eof:
        raise InvalidRequestError(f"The {encoding} body ends too early.")
    return inflated


def _items(text: bytes) -> list[Envelope | str]:
    try:
        whole = _json(text)
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise InvalidRequestError("The body is not JSON.") from error
        items = [_line(line) for line in lines]
        if not any(isinstance(item, dict) for item in items):
            raise InvalidRequestError("The body is neither JSON nor JSON lines.") from error
        return items
    return [_item(each) for each in (whole if isinstance(whole, list) else [whole])]


def _line(line: bytes) -> Envelope | str:
    try:
        return _item(_json(line))
    except ValueError:
        return "The line is not JSON."


def _item(value: Any) -> Envelope | str:
    return value if isinstance(value, dict) else "An item is a JSON object."


def _json(text: bytes) -> Any:
    """Parsed JSON. Python's own senders write NaN, which only the slower parser takes."""
    import orjson  # here, so that a program which only sends does not load it to decode

    try:
        return orjson.loads(text)
    except ValueError:
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def answer(received: int, errors: Mapping[int, str]) -> tuple[int, dict[str, Any]]:
    """HTTP status and body for a post of `received` items of which those in `errors` were refused.

    200 when all were taken, 206 when some were, 400 when none was.
    """
    status = 200 if not errors else 206 if len(errors) < received else 400
    return status, {
        "itemsReceived": received,
        "itemsAccepted": received - len(errors),
        "errors": [
            {"index": index, "statusCode": 400, "message": message}
            for index, message in sorted(errors.items())
        ],
    }


def number(value: Any) -> float | None:
    """A finite number, also when it was sent as text. None for anything else."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
