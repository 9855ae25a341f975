"""Asking Application Insights: one HTTP client for Azure and for the local telemetry server.

Source: azure-rest-api-specs, applicationinsights data-plane ``v1/apps/{appId}/query``;
learn.microsoft.com, Azure Monitor Logs API: response format, timeouts, limits.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import requests

from services.app_insights import wire
from services.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    ServiceError,
    SignInError,
    UnavailableError,
)

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
ATTEMPTS = 4  # of one query; who is in trouble four times stays so for a while
DAMAGED = "TelemetryFileDamaged"  # the local server's code; its message is for the operator
LOOPBACK = ("127.0.0.1", "localhost")
AGAIN = (408, 429, 500, 502, 503)  # 504 is the query's own time limit: asking again will not help


class UnreachableError(UnavailableError):
    """Nobody listens at the address."""


class ThrottledError(UnavailableError):
    """It asks to be left alone for longer than the caller waits."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they came: values of a column are to be read by its type, not by JSON's."""

    columns: tuple[tuple[str, str], ...]  # name, KQL type
    rows: list[list[Any]]
    partial: str = ""  # why rows are missing, when the service said so


class QueryClient:
    """Queries one Application Insights resource. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        app_id: str,
        *,
        token: Callable[[], str],
        collection: str = "apps",
        name: str = "",
        asleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            base_url: ``https://api.applicationinsights.io``, or the local server's.
            token: called for each request; what to send as bearer token.
            collection: ``workspaces`` where `app_id` is a Log Analytics workspace's.
            name: of the resource, for people; its id unless given.
            asleep: waits before another attempt, seconds.
        """
        self._url = f"{base_url.rstrip('/')}/v1/{collection}/{app_id}/query"
        self._name = name or app_id
        self._token = token
        self._asleep = asleep
        self._session = requests.Session()
        # A proxy set for the internet cannot reach this machine's own loopback.
        self._session.trust_env = urlsplit(base_url).hostname not in LOOPBACK
        # Prepared once: half of what asking costs here goes into that.
        self._request = self._session.prepare_request(
            requests.Request("POST", self._url, headers={"Content-Type": "application/json"})
        )
        self._not_before = 0.0  # the service has asked everybody to wait until then

    def query(self, kql: str, *, timeout_s: float = 30.0) -> Table:
        """The first table of the answer. Tried again, within `timeout_s`, when asked to wait.

        Raises:
            InvalidRequestError: the query is wrong; the message is the service's own.
            NotFoundError: there is no such resource.
        """
        deadline = time.monotonic() + timeout_s
        if self._not_before >= deadline:
            raise _busy(429, self._not_before - time.monotonic())
        attempt = 0
        while True:
            attempt += 1
            answer = self._post(kql, max(0.1, deadline - time.monotonic()))
            if answer.status_code not in AGAIN:
                return _table(answer, self._name, timeout_s)
            pause = _pause(answer.headers, attempt)
            if attempt == ATTEMPTS or time.monotonic() + pause >= deadline:
                if answer.status_code == 429:
                    self._not_before = time.monotonic() + pause
                raise _busy(answer.status_code, pause)
            log.info("telemetry asks to wait %.1f s (%s)", pause, answer.status_code)
            self._asleep(pause)

    def _post(self, kql: str, remaining_s: float) -> requests.Response:
        try:
            return self._session.send(
                self._asking(kql, remaining_s),
                timeout=(min(CONNECT_TIMEOUT_S, remaining_s), remaining_s),
                allow_redirects=False,
                **self._surroundings(),
            )
        except requests.ReadTimeout as error:
            raise UnavailableError(
                f"Telemetry did not answer within {remaining_s:.0f} s."
            ) from error
        except requests.RequestException as error:
            raise UnreachableError("Telemetry cannot be reached.") from error

    def _asking(self, kql: str, remaining_s: float) -> requests.PreparedRequest:
        request = self._request.copy()
        request.body = body = orjson.dumps({"query": kql})
        request.headers["Content-Length"] = str(len(body))
        request.headers["Authorization"] = f"Bearer {self._token()}"
        request.headers["Prefer"] = f"wait={max(1, round(remaining_s))}"
        return request

    def _surroundings(self) -> dict[str, Any]:
        """What the environment says of proxies and certificates, where that is asked."""
        if not self._session.trust_env:
            return {"proxies": {}}
        return dict(self._session.merge_environment_settings(self._url, {}, None, None, None))


def _pause(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds the service asks to wait; else twice as long each time, never in step."""
    told = wire.number(headers.get("Retry-After"))
    if told is not None and told >= 0:
        return told
    return float(min(8.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0))


def _busy(status: int, pause: float) -> UnavailableError:
    if status == 429:
        return ThrottledError(
            f"Telemetry answers no more queries for now; it asks to wait {pause:.0f} s."
        )
    return UnavailableError(f"Telemetry is out of order (HTTP {status}).")


def _table(answer: requests.Response, name: str, timeout_s: float) -> Table:
    if answer.status_code == 204:
        return Table((), [], "The workspace behind this resource holds no data yet.")
    if answer.status_code != 200:
        raise _refusal(answer, name, timeout_s)
    body = _body(answer)
    tables = body.get("tables")
    if not isinstance(tables, list) or not tables:
        raise UnavailableError("What answered is not Application Insights.")
    try:
        columns = tuple((each["name"], each.get("type", "string")) for each in tables[0]["columns"])
        return Table(columns, tables[0]["rows"], _partial(body))
    except (KeyError, TypeError, AttributeError) as error:
        raise UnavailableError("What answered is not Application Insights.") from error


def _partial(body: Mapping[str, Any]) -> str:
    """A 200 may say that it is not the whole answer."""
    error = body.get("error")
    return _deepest(error) or "Part of the answer is missing." if isinstance(error, dict) else ""


def _refusal(answer: requests.Response, name: str, timeout_s: float) -> ServiceError:
    error = _body(answer).get("error")
    text = _deepest(error) if isinstance(error, dict) else ""
    status = answer.status_code
    if isinstance(error, dict) and error.get("code") == DAMAGED and text:
        return OperationFailedError(text)
    if status == 400:
        return InvalidRequestError(text or "The query was not accepted.")
    if status == 401:
        return SignInError("Application Insights did not accept the sign-in: it may have expired.")
    if status == 403:
        return AccessDeniedError(
            "Your role does not allow reading this Application Insights resource; "
            "a role given just now may take an hour to count."
        )
    if status == 404:
        return NotFoundError("Application Insights resource", name)
    if status == 504:
        return UnavailableError(
            f"The query took longer than {timeout_s:g} s; ask about a shorter time."
        )
    return UnavailableError(f"Telemetry answered with HTTP {status}.")


def _body(answer: requests.Response) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.content)
    except ValueError as error:
        raise UnavailableError("What answered is not Application Insights.") from error
    return body if isinstance(body, dict) else {}


def _deepest(error: Mapping[str, Any]) -> str:
    """The message of the innermost error, where the useful text is."""
    inner = error.get("innererror")
    details = error.get("details")
    if not isinstance(inner, dict) and isinstance(details, list) and details:
        inner = details[0]
    found = _deepest(inner) if isinstance(inner, dict) else ""
    return found or str(error.get("message") or "").strip()


# --- values by their declared type ------------------------------------------------


def frame(table: Table) -> pd.DataFrame:
    """The rows as a frame: datetimes are UTC instants, timespans float milliseconds, numbers
    numbers even where the service sent text; what is missing is missing. Keeps its columns when
    there are no rows."""
    import pandas as pd

    values = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    arrays = {
        position: _array(kind, column)
        for position, ((_, kind), column) in enumerate(zip(table.columns, values, strict=True))
    }
    found = pd.DataFrame(arrays)
    found.columns = pd.Index([name for name, _ in table.columns], dtype="object")
    return found


def _array(kind: str, values: Sequence[Any]) -> Any:
    """The values of one column as an array; what is usual takes the short way."""
    import numpy as np
    import pandas as pd

    if kind == "datetime":
        return _instants(values)
    if kind in ("real", "decimal"):
        plain = set(map(type, values)) <= {float}
        return np.array(values if plain else [_float(each) for each in values], dtype="float64")
    if kind in ("int", "long"):
        if set(map(type, values)) <= {int}:
            return np.array(values, dtype="int64")
        numbers = [_float(each) for each in values]
        whole = all(each is not None and each.is_integer() for each in numbers)
        return np.array(numbers, dtype="int64" if whole else "float64")
    if kind == "timespan":
        return np.array([_milliseconds(each) for each in values], dtype="float64")
    if kind == "bool":
        return pd.array([_bool(each) for each in values], dtype="boolean")
    texts = np.empty(len(values), dtype="object")
    texts[:] = [None if each is None else _text(each) for each in values]
    return texts


def _instants(values: Sequence[Any]) -> Any:
    import numpy as np
    import pandas as pd

    try:
        bare = "\n".join(values).replace("Z", "").split("\n") if values else []
        plain = np.array(bare, dtype="datetime64[us]")
        return pd.DatetimeIndex(plain).tz_localize("UTC")
    except (TypeError, ValueError):  # a missing one, more digits, another offset
        read = pd.to_datetime(pd.Series(values, dtype="object"), utc=True, format="ISO8601")
        return read.dt.as_unit("us")


def _float(value: Any) -> float | None:
    return None if isinstance(value, bool) else wire.number(value)


def _milliseconds(value: Any) -> float | None:
    if value is None:
        return None
    text = str(value)
    size = wire.duration_ms(text.removeprefix("-"))
    return -size if text.startswith("-") else size


def _bool(value: Any) -> bool | None:
    return value.lower() in ("true", "1") if isinstance(value, str) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
