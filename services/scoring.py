"""One request to a scoring URI, and what its answer means.

An answer has two faces: the HTTP status, and what the body says. A scoring script that
catches its own error answers 200 with an error message inside; here that is a failure.
Keys travel in one header of one request and appear nowhere else: not in a log line, not
in an error, not in an answer.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from services import scoring_body
from services.domain import ScoringAnswer

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

SCORING_LIMIT_S = 60.0  # Azure ends a scoring request that takes longer
RETRIED_STATUSES = frozenset({502, 503, 504})
RUN_MS_HEADER = "x-ms-run-fn-exec-ms"
RUN_FAILED_HEADER = "x-ms-run-function-failed"
REQUEST_ID_HEADERS = ("x-ms-request-id", "x-request-id")
SHOWN_DETAIL = 300  # characters of a body inside a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """When to ask again: the deployment was not there, or said that it is not ready."""

    attempt_limit: int = 3
    pause_s: float = 0.3  # doubled each time
    longest_pause_s: float = 5.0  # whatever Retry-After asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a body says. An `error` means there are no results."""

    results: tuple[Any, ...] = ()
    probabilities: tuple[Mapping[str, float], ...] = ()
    error: str = ""


class ScoringClient:
    """Requests to one scoring URI over one connection. Close it, or use it as a context."""

    def __init__(
        self,
        uri: str,
        *,
        key: str | None = None,
        timeout_s: float = SCORING_LIMIT_S,
        retries: Retries | None = None,
        classes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent yet.

        Args:
            key: either of the deployment's keys; None where no key is needed.
            timeout_s: how long one attempt may stay without its whole answer.
            classes: the label's values in the model's order, to name probabilities that
                come as bare numbers.
            headers: sent beside the content type, the client's request id for instance.
        """
        import requests  # not needed before the first request

        self._uri, self._timeout_s, self._classes = uri, timeout_s, tuple(classes)
        self._retries = retries or Retries()
        self._sleep = sleep
        self._session = requests.Session()
        # A proxy from the environment is for Azure; this machine is reached directly.
        self._session.trust_env = urlsplit(uri).hostname not in ("127.0.0.1", "localhost", "::1")
        self._session.headers.update({"Content-Type": "application/json", **(headers or {})})
        if key:
            self._session.auth = _bearer(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def send(self, payload: str) -> ScoringAnswer:
        """Post one JSON body and read the answer. Whatever goes wrong is in the answer."""
        attempt = 1
        while True:
            answer = self._attempt(payload, attempt)
            if attempt >= self._retries.attempt_limit or not _worth_retrying(answer):
                return answer
            log.info("attempt %d at %s: %s", attempt, self._uri, answer.status or answer.error)
            self._sleep(self._pause_s(attempt, answer))
            attempt += 1

    def _attempt(self, payload: str, attempt: int) -> ScoringAnswer:
        import requests

        sent_at, began = datetime.now(UTC), time.perf_counter()
        try:
            with self._session.post(
                self._uri,
                data=payload.encode(),
                timeout=self._timeout_s,
                allow_redirects=False,  # a key goes to the address it was meant for
                stream=True,  # read here, within the time there is
            ) as response:
                content = scoring_body.read(response, began + self._timeout_s)
        except requests.RequestException as error:
            return ScoringAnswer(
                status=None,
                ok=False,
                body="",
                results=(),
                probabilities=(),
                error=_unanswered(error, self._timeout_s),
                attempts=attempt,
                duration_ms=(time.perf_counter() - began) * 1000,
                run_ms=None,
                request_id=None,
                sent_at=sent_at,
                headers={},
            )
        duration_ms = (time.perf_counter() - began) * 1000
        return self._answer(response, content, attempt, duration_ms, sent_at)

    def _answer(
        self,
        response: requests.Response,
        content: bytes,
        attempt: int,
        duration_ms: float,
        sent_at: datetime,
    ) -> ScoringAnswer:
        body = content.decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in response.headers.items()}
        meaning = understand(response.status_code, body, headers=headers, classes=self._classes)
        return ScoringAnswer(
            status=response.status_code,
            ok=not meaning.error,
            body=body,
            results=meaning.results,
            probabilities=meaning.probabilities,
            error=meaning.error,
            attempts=attempt,
            duration_ms=duration_ms,
            run_ms=run_ms(headers),
            request_id=next(
                (headers[each] for each in REQUEST_ID_HEADERS if each in headers), None
            ),
            sent_at=sent_at,
            headers=headers,
        )

    def _pause_s(self, attempt: int, answer: ScoringAnswer) -> float:
        asked = answer.headers.get("retry-after", "")
        told = asked.isascii() and asked.isdigit()
        pause_s = float(asked[:9]) if told else self._retries.pause_s * 2 ** (attempt - 1)
        return min(pause_s, self._retries.longest_pause_s)


def send(uri: str, payload: str, **settings: Any) -> ScoringAnswer:
    """One request over a connection of its own; the settings are `ScoringClient`'s."""
    with ScoringClient(uri, **settings) as client:
        return client.send(payload)


def understand(
    status: int,
    body: str,
    *,
    headers: Mapping[str, str] | None = None,
    classes: Sequence[str] = (),
) -> Meaning:
    """What an answer says: results, or why there are none.

    The scripts AutoML writes answer with JSON inside a JSON string, and catch their own
    errors into a 200 with an ``error`` inside; both are read here.

    Args:
        headers: of the answer, names in lower case.
        classes: the label's values in the model's order.
    """
    if not 200 <= status < 300:
        return Meaning(error=_refused(status, body))
    document, readable = _decoded(body)
    if not readable:
        return Meaning(error=f"The deployment answered {status} with no JSON inside{_quote(body)}")
    if (complaint := _complaint(document)) is not None:
        return Meaning(error=f"The scoring script failed: {_ended(complaint)}")
    if document is None or document in ("", {}):  # a script that forgets to return; a gateway
        return Meaning(error=f"The deployment answered {status} with nothing inside{_quote(body)}")
    if (headers or {}).get(RUN_FAILED_HEADER, "").lower() == "true":
        return Meaning(error=f"The scoring script reports that it failed{_quote(body)}")
    return _results(document, classes)


def run_ms(headers: Mapping[str, str]) -> float | None:
    """How long ``run()`` took, where the server says so. Header names are in lower case."""
    try:
        return float(headers[RUN_MS_HEADER])
    except (KeyError, ValueError):
        return None


# --- reading a body ---------------------------------------------------------------


def _decoded(body: str) -> tuple[Any, bool]:
    """The document in a body, and whether there was one. JSON inside a string is opened too."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None, False
    if isinstance(document, str):
        try:
            return json.loads(document), True
        except (ValueError, RecursionError):
            return document, True
    return document, True


def _complaint(document: Any) -> str | None:
    """The error message in place of results, or None."""
    if not isinstance(document, Mapping):
        return None
    named = {str(name).lower(): value for name, value in document.items()}
    for name in ("error", "errors"):
        if named.get(name):
            return _said(named[name])
    if "message" in named and not _RESULT_NAMES & named.keys():
        return _said(named["message"])
    return None


def _said(value: Any) -> str:
    """The message inside whatever shape an error came in."""
    if isinstance(value, Mapping):
        inner = {str(name).lower(): each for name, each in value.items()}
        return _said(inner.get("message") or inner.get("error") or json.dumps(value))
    if isinstance(value, list) and value:
        return "; ".join(_said(each) for each in value)
    return str(value)


_RESULT_NAMES = frozenset({"result", "results", "predictions", "outputs", "output"})
_PROBABILITY_NAMES = ("probabilities", "probability", "predict_proba", "predict_probabilities")


def _results(document: Any, classes: Sequence[str]) -> Meaning:
    probabilities: Any = None
    results = document
    if isinstance(document, Mapping):
        named = {str(name).lower(): value for name, value in document.items()}
        found = next((named[name] for name in named if name in _RESULT_NAMES), None)
        probabilities = next((named[each] for each in _PROBABILITY_NAMES if each in named), None)
        if found is not None:
            results = found
        elif probabilities is not None:
            results = probabilities
    rows = tuple(results) if isinstance(results, list) else (results,)
    named_rows = _named(rows if probabilities is None else _as_rows(probabilities), classes)
    if named_rows and (probabilities is None or results is probabilities):
        rows = tuple(max(row, key=lambda each: row[each]) for row in named_rows)
    return Meaning(results=rows, probabilities=named_rows)


def _as_rows(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _named(rows: Sequence[Any], classes: Sequence[str]) -> tuple[Mapping[str, float], ...]:
    """Probabilities by class, one mapping per row; empty unless every row is one."""
    named = [_distribution(row, classes) for row in rows]
    return tuple(each for each in named if each) if all(named) else ()


def _distribution(row: Any, classes: Sequence[str]) -> dict[str, float]:
    if isinstance(row, list) and len(row) == len(classes) > 1:
        row = dict(zip(classes, row, strict=True))
    if not isinstance(row, Mapping) or not row:
        return {}
    values = list(row.values())
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    if not numbers or not 0.99 <= sum(values) <= 1.01:
        return {}
    return {str(name): float(value) for name, value in row.items()}


# --- sentences --------------------------------------------------------------------


def _worth_retrying(answer: ScoringAnswer) -> bool:
    if answer.status is None:
        return answer.error in (_REFUSED, _CLOSED)
    return answer.status in RETRIED_STATUSES


_REFUSED = "The deployment refused the connection; its server is not running."
_BROKEN_OFF = "The deployment's answer broke off in the middle; its server may have restarted."
_CLOSED = "The deployment closed the connection before it answered; its server may have restarted."


def _unanswered(error: requests.RequestException, timeout_s: float) -> str:
    import requests

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.Timeout):
        return f"The deployment did not answer within {timeout_s:g} s."
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return scoring_body.TOO_LONG
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return _BROKEN_OFF
    if isinstance(error, requests.exceptions.SSLError):
        return "The deployment's certificate was not accepted."
    if type(reason).__name__ == "NameResolutionError":
        return "The deployment's host name is not known; look at its scoring URI."
    if type(reason).__name__ == "NewConnectionError":
        return _REFUSED
    if isinstance(error, requests.ConnectionError):
        return _CLOSED
    return f"The request could not be sent: {type(error).__name__}."


_REFUSALS: Mapping[int, str] = {
    400: "The deployment could not read the request",
    401: "The deployment did not accept the key; it may have been regenerated a moment ago",
    403: "The deployment does not allow this key to score",
    404: "Nothing answers at this scoring URI",
    413: "The request is larger than the deployment accepts",
    415: "The deployment expects JSON",
    429: "The deployment has too many requests at the moment",
    500: "The scoring script failed",
    502: "The deployment's server could not be reached (502)",
    503: "The deployment is not ready (503)",
    504: "The deployment took too long (504)",
}


def _refused(status: int, body: str) -> str:
    said = _REFUSALS.get(status, f"The deployment answered {status}")
    document, _ = _decoded(body)
    complaint = _complaint(document)
    if complaint is None and isinstance(document, str):
        complaint = document
    if complaint is not None:
        return f"{said}: {_ended(complaint)}"
    return f"{said}{_quote(body)}"


def _quote(body: str) -> str:
    """A body at the end of a sentence; a web page from a gateway says nothing and is left out."""
    text = " ".join(body.split())
    return "." if not text or text.startswith("<") else f": {_ended(text)}"


def _ended(text: str) -> str:
    line = " ".join(text.split())
    line = line if len(line) <= SHOWN_DETAIL else line[: SHOWN_DETAIL - 1] + "…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _bearer(key: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """The key as a header added to each request as it leaves, kept nowhere else."""

    def add(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {key}"
        return request

    return add
