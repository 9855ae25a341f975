"""What the SDK and its transports raise, retold as one of ours.

They share no base below Exception, `str` of a ServiceException can itself raise, and
some texts hold the whole response with its headers: only the status and a guarded,
shortened message are ever looked at.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    ServiceError,
    SignInError,
    UnavailableError,
)

MESSAGE_LIMIT = 300
WRAPPED = 6  # errors inside one another that are looked at
SECRET = re.compile(r"(?i)(bearer\s+|sig=|secret|password|accountkey=)[^\s\"'&,;]+")
# Microsoft Entra's codes, and MSAL's words for a tenant there is not.
REFUSED = re.compile(r"AADSTS\d+|invalid_\w+|unauthorized_client|authority configuration")
NOT_FOUND = re.compile(r"(?i)notfound|not found|could not be found|does not exist|no matching")
TRANSPORT = (
    "ConnectionError",
    "Timeout",
    "ReadTimeout",
    "ConnectTimeout",
    "ClientRequestError",
    "ServiceRequestError",
    "ServiceResponseError",
    "RetryError",
    "ChunkedEncodingError",
    "SSLError",
    "ProxyError",
    "MaxRetryError",
    "IncompleteRead",
)


@contextmanager
def translated(kind: str, name: str = "") -> Iterator[None]:
    """Raise a `ServiceError` for whatever the SDK raises, with the original as cause.

    Args:
        kind: the noun, as in “No deployment named …”.
        name: which one; empty when a list was asked for.
    """
    try:
        yield
    except ServiceError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except Exception as error:  # the SDK's own have no common base
        raise retold(error, kind, name) from error


def retold(error: Exception, kind: str, name: str = "") -> ServiceError:
    """Our error for one of theirs, by status first, then by type and text."""
    thing = f"{kind} “{name}”" if name else f"the {kind}s"
    status, text = status_of(error), message_of(error)
    if _is(error, "CredentialUnavailableError"):
        return SignInError(f"There is no sign-in to use. {text}".strip())
    if _is(error, "ClientAuthenticationError") and not REFUSED.search(text):
        return UnavailableError("Azure's sign-in did not answer as it should.")
    if _is(error, "AuthenticationException", "AuthenticationError", "ClientAuthenticationError"):
        return SignInError(f"Azure did not accept the sign-in. {text}".strip())
    if status == 401:
        return SignInError("Azure did not accept the sign-in: it may have expired.")
    if status == 403:
        return AccessDeniedError(f"Your role does not allow this on {thing}.")
    if status == 404 or (status is None and NOT_FOUND.search(text)):
        if name:
            return NotFoundError(kind, name)
        return UnavailableError(f"Azure ML does not know {thing}.")
    if status in (409, 412):
        return ConflictError(f"Azure ML is still working on {thing}, or the name is taken.")
    if status == 429:
        return UnavailableError(f"Azure ML is throttling requests for {thing}.")
    if status == 400:
        return InvalidRequestError(text or f"Azure ML refused the request for {thing}.")
    if (status or 0) >= 500:
        return UnavailableError(f"Azure ML could not answer for {thing} (HTTP {status}).")
    if _waited(error):
        return UnavailableError(f"Azure ML did not answer in time for {thing}.")
    if _is(error, *TRANSPORT) or isinstance(error, (OSError, TimeoutError)):
        return UnavailableError(f"Azure ML could not be reached for {thing}.")
    if isinstance(error, (KeyError, AttributeError, TypeError, ValueError)):
        return UnavailableError(f"Azure ML's answer for {thing} could not be understood.")
    return OperationFailedError(text or f"Azure ML could not do this with {thing}.")


def _waited(error: BaseException | None) -> bool:
    """Whether it, or what it wraps, is an answer that did not come."""
    for _ in range(WRAPPED):
        if error is None or _is(error, "ReadTimeout", "ReadTimeoutError"):
            break
        inner = (getattr(error, name, None) for name in ("inner_exception", "reason"))
        error = next(
            (each for each in (*inner, *error.args[:1], error.__cause__) if _is_error(each)), None
        )
    return error is not None and _is(error, "ReadTimeout", "ReadTimeoutError")


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error, wherever the SDK has put it."""
    for place in (error, getattr(error, "response", None), getattr(error, "error", None)):
        for attribute in ("status_code", "status"):
            status = getattr(place, attribute, None)
            if isinstance(status, int):
                return status
    text = _text(error)
    found = re.search(r"(?:Response Code|status code|Code)\D{0,4}(\d{3})\b", text)
    if found:
        return int(found.group(1))
    cause = error.__cause__ or error.__context__
    return status_of(cause) if cause is not None and cause is not error else None


def message_of(error: BaseException) -> str:
    """What it says, in one line, without headers and secrets."""
    text = getattr(error, "message", None)
    if not isinstance(text, str) or not text.strip():
        text = _text(error)
    text = _inner_message(text)
    text = text.split("Headers:")[0].split("\n")[0]
    return SECRET.sub(r"\1…", text).strip()[:MESSAGE_LIMIT]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # ServiceException.__str__ raises TypeError without a details list
        return ""


def _inner_message(text: str) -> str:
    """The message inside a JSON error body, where the text is or contains one."""
    text = _content(text)
    start = text.find("{")
    if start < 0:
        return text
    try:
        body: Any = json.loads(text[start : text.rfind("}") + 1])
    except ValueError:
        return text
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            return str(inner["message"])
    return text


def _content(text: str) -> str:
    """The body alone, where headers stand before it.

    Source: azureml-core 1.61.0, ``Webservice``: “Content: b'…'” after “Headers: {…}”.
    """
    _, found, body = text.partition("\nContent: ")
    if not found:
        return text
    try:
        read = ast.literal_eval(body.strip())
    except (ValueError, SyntaxError):
        return body
    return read.decode("utf-8", "replace") if isinstance(read, bytes) else str(read)


def _is(error: BaseException, *names: str) -> bool:
    """Whether its class, or one it derives from, has one of these names: nothing is imported."""
    return any(base.__name__ in names for base in type(error).__mro__)
