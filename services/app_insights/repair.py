"""An envelope as the row Application Insights keeps, with what senders got wrong put right.

Azure ML's scoring servers describe a request twice: in its own fields, wrongly (result code
"0", success, duration 0, no name), and in its properties, rightly. Rows are repaired once, as
they arrive, because doing it in every query costs many times more.

Source: azureml-inference-server-http 1.4.1 and 1.5.1, run against a loopback address; the
columns are those of the classic tables, learn.microsoft.com "convert-classic-resource".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from services.app_insights.wire import (
    ITEM_LIMIT_BYTES,
    MESSAGE_LIMIT,
    NAME_LIMIT,
    PROPERTY_LIMIT,
    SEVERITIES,
    duration_ms,
    instant,
    number,
)
from services.errors import InvalidRequestError

Values = dict[str, Any]


class Row(NamedTuple):
    """One row: the classic table's name, and a value for each column its kind of item has."""

    table: str
    values: Values


def row(envelope: Mapping[str, Any]) -> Row | None:
    """The row an envelope becomes; None for what a sender reports about itself.

    Raises:
        InvalidRequestError: a required field is missing or unreadable; the message names it.
    """
    data = envelope.get("data")
    base = data.get("baseData") if isinstance(data, dict) else None
    kind = data.get("baseType") if isinstance(data, dict) else None
    if not isinstance(base, dict) or not isinstance(kind, str):
        raise InvalidRequestError("An item has data.baseType and data.baseData.")
    if kind not in _KINDS:
        raise InvalidRequestError(f"Items of the type “{kind[:40]}” are not kept.")
    table, read = _KINDS[kind]
    properties, written = _properties(base.get("properties"))
    values = read(base, properties)
    if values is None:
        return None
    found = _common(envelope, properties)
    found["customDimensions"] = written
    measurements = base.get("measurements")
    found["customMeasurements"] = _json(_measurements(measurements)) if measurements else "{}"
    found.update(values)
    return Row(table, found)


def _common(envelope: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    tags = envelope.get("tags")
    tag = tags.get if isinstance(tags, dict) else _NO_TAGS.get
    return {
        "timestamp": _time(envelope.get("time")),
        "operation_Id": _operation(tag("ai.operation.id", "")),
        "operation_Name": _text(tag("ai.operation.name", "")),
        "operation_ParentId": _text(tag("ai.operation.parentId", "")),
        "application_Version": _text(tag("ai.application.ver", "")),
        "cloud_RoleName": properties.get("Service Name") or _text(tag("ai.cloud.role", "")),
        "cloud_RoleInstance": _text(tag("ai.cloud.roleInstance", "")),
        "sdkVersion": _text(tag("ai.internal.sdkVersion", "")),
        "itemCount": _count(envelope.get("sampleRate", 100.0)),
    }


def _count(sample_rate: Any) -> int:
    """How many items one stands for."""
    if sample_rate == 100.0:
        return 1
    rate = number(sample_rate)
    return max(1, round(100.0 / rate)) if rate and rate >= 1e-4 else 1


_NO_TAGS: Mapping[str, Any] = MappingProxyType({})


# --- one kind of item each --------------------------------------------------------


def _request(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    return {
        "id": properties.get("Request Id") or _text(base.get("id")),
        "name": properties.get("name") or _text(base.get("name")),
        "url": properties.get("url") or _text(base.get("url")),
        "resultCode": properties.get("resultCode") or _text(base.get("responseCode")),
        "success": _truth(properties.get("success") or base.get("success", True)),
        "duration": _true_duration(base, properties),
    }


def _true_duration(base: Mapping[str, Any], properties: Mapping[str, str]) -> float:
    if told := properties.get("duration"):
        try:
            return duration_ms(told)
        except InvalidRequestError:  # a property of that name that is no duration
            pass
    return _duration(base)


def _dependency(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    return {
        "id": _text(base.get("id")),
        "name": _text(base.get("name")),
        "target": _text(base.get("target")),
        "type": _text(base.get("type")),
        "data": _text(base.get("data"), PROPERTY_LIMIT),
        "resultCode": _text(base.get("resultCode")),
        "success": _truth(base.get("success", True)),
        "duration": _duration(base),
    }


def _exception(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    chain = [each for each in base.get("exceptions") or () if isinstance(each, dict)]
    if not chain:
        raise InvalidRequestError("An exception item has at least one entry in “exceptions”.")
    outer, inner = chain[0], chain[-1]
    stack = outer.get("parsedStack")
    frame = stack[0] if isinstance(stack, list) and stack and isinstance(stack[0], dict) else {}
    kind = _text(outer.get("typeName")) or "Exception"
    return {
        "type": kind,
        "problemId": _text(base.get("problemId")) or _problem(kind, _text(frame.get("method"))),
        "handledAt": _text(base.get("handledAt")),
        "method": _text(frame.get("method")),
        "assembly": _text(frame.get("assembly")),
        "outerType": kind,
        "outerMessage": _text(outer.get("message"), MESSAGE_LIMIT),
        "innermostType": _text(inner.get("typeName")),
        "innermostMessage": _text(inner.get("message"), MESSAGE_LIMIT),
        "severityLevel": _severity(base.get("severityLevel")),
        "details": _json(chain[:20]),
    }


def _problem(kind: str, method: str) -> str:
    return f"{kind} at {method}" if method else kind


def _message(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    """Old scoring images send “STDOUT” and keep what was printed in a property."""
    text = _text(base.get("message"), MESSAGE_LIMIT)
    if text == "STDOUT" and "Content" in properties:
        text = properties["Content"]
    return {"message": text, "severityLevel": _severity(base.get("severityLevel"))}


def _event(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    return {"name": _required(base, "name")}


def _metric(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values | None:
    metrics = base.get("metrics")
    point = metrics[0] if isinstance(metrics, list) and metrics else None
    if not isinstance(point, dict):
        raise InvalidRequestError("A metric item has one entry in “metrics”.")
    name = _required(point, "name")
    if name == "_OTELRESOURCE_" or (name.startswith("Item_") and name.endswith("_Count")):
        return None  # an exporter's report about itself
    value = number(point.get("value"))
    if value is None:
        raise InvalidRequestError(f"The metric “{name[:40]}” has no number in “value”.")
    count = number(point.get("count"))
    return {
        "name": name,
        "valueSum": value,
        "valueCount": 1 if count is None else max(1, min(int(count), 2**31 - 1)),
        "valueMin": _or(number(point.get("min")), value),
        "valueMax": _or(number(point.get("max")), value),
        "valueStdDev": _or(number(point.get("stdDev")), 0.0),
    }


def _availability(base: Mapping[str, Any], properties: Mapping[str, str]) -> Values:
    name = _required(base, "name")
    return {
        "cloud_RoleName": properties.get("Service Name") or name,  # the deployment it names
        "id": _text(base.get("id")),
        "name": name,
        "location": _text(base.get("runLocation")),
        "success": _truth(base.get("success")),
        "message": _text(base.get("message"), PROPERTY_LIMIT),
        "duration": _duration(base),
    }


_Reader = Callable[[Mapping[str, Any], Mapping[str, str]], "Values | None"]
_KINDS: Mapping[str, tuple[str, _Reader]] = MappingProxyType(
    {
        "RequestData": ("requests", _request),
        "RemoteDependencyData": ("dependencies", _dependency),
        "ExceptionData": ("exceptions", _exception),
        "MessageData": ("traces", _message),
        "EventData": ("customEvents", _event),
        "MetricData": ("customMetrics", _metric),
        "AvailabilityData": ("availabilityResults", _availability),
    }
)


# --- values as they come ----------------------------------------------------------


def _properties(given: Any) -> tuple[dict[str, str], str]:
    """Properties as text, and all of them as JSON. Some servers ship all of them as one, the
    ``repr`` of a dict."""
    if not given or not isinstance(given, dict):
        return {}, "{}"
    if (written := _as_it_came(given)) is not None:
        return given, written
    properties = {
        _text(name, NAME_LIMIT): _text(value, PROPERTY_LIMIT) for name, value in given.items()
    }
    packed = given.get("custom_dimensions")
    if isinstance(packed, str) and len(packed) <= ITEM_LIMIT_BYTES:
        try:
            unpacked = ast.literal_eval(packed)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return properties, _json(properties)
        if isinstance(unpacked, dict):
            del properties["custom_dimensions"]
            properties |= {
                _text(name, NAME_LIMIT): _text(value, PROPERTY_LIMIT)
                for name, value in unpacked.items()
            }
    return properties, _json(properties)


_TEXTS = {str}


def _as_it_came(given: dict[str, Any]) -> str | None:
    """As JSON, where they can be kept unchanged, which those of a busy sender always can."""
    if set(map(type, given.values())) != _TEXTS or "custom_dimensions" in given:
        return None
    try:
        written = orjson.dumps(given)
    except TypeError:  # half a surrogate pair
        return None
    kept = len(written) <= PROPERTY_LIMIT and written.isascii()
    return written.decode() if kept and max(map(len, given)) <= NAME_LIMIT else None


def _measurements(given: Any) -> dict[str, float]:
    if not given or not isinstance(given, dict):
        return {}
    found = {_text(name): number(value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def _required(base: Mapping[str, Any], field: str) -> str:
    text = _text(base.get(field))
    if not text:
        raise InvalidRequestError(f"The field “{field}” is missing.")
    return text


def _text(value: Any, limit: int = 1024) -> str:
    """A value as storable text: at most `limit` characters, no lone surrogates."""
    if type(value) is str and len(value) <= limit and value.isascii():
        return value
    if value is None:
        return ""
    text = (value if isinstance(value, str) else str(value))[:limit]
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _operation(value: Any) -> str:
    """All zeros are how OpenTelemetry says that there is no operation."""
    text = _text(value)
    return text if text.strip("0") else ""


def _truth(value: Any) -> bool:
    """Also as the text some senders write: “True”, “true”, “1”."""
    return value.strip().lower() in ("true", "1") if isinstance(value, str) else bool(value)


def _duration(base: Mapping[str, Any]) -> float:
    value = base.get("duration")
    if not isinstance(value, str):
        raise InvalidRequestError("The field “duration” is missing; it is written D.HH:MM:SS.ffff.")
    return duration_ms(value)


def _severity(value: Any) -> int | None:
    """0 to 4, from the number, its text, or its name: all three are sent."""
    if isinstance(value, str) and value.capitalize() in SEVERITIES:
        return SEVERITIES.index(value.capitalize())
    found = number(value)
    return None if found is None else max(0, min(int(found), len(SEVERITIES) - 1))


def _time(value: Any) -> datetime:
    """Naive, in UTC, as the store keeps it."""
    if not isinstance(value, str):
        raise InvalidRequestError("The field “time” is missing; it is an ISO 8601 instant.")
    if value[-1:] == "Z":  # the usual form, in one step
        try:
            at = datetime.fromisoformat(value[:-1])
        except ValueError as error:
            raise InvalidRequestError(f"“{value[:40]}” is no ISO 8601 instant.") from error
        if at.tzinfo is None:
            return at
    return instant(value).replace(tzinfo=None)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _json(value: Any) -> str:
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
