"""What a web service says of itself: keys, token, log and API description (no state kept)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from services.azure.deployment_records import TOKEN_AUTH
from services.domain import Deployment, Keys, LogTail
from services.errors import (
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    UnavailableError,
)


def keys(document: Any, name: str) -> Keys:
    """Both keys.

    Raises:
        UnavailableError: the answer holds something else; what, is not repeated.
    """
    return Keys(
        primary=_text(document, "primaryKey", "the keys", name),
        secondary=_text(document, "secondaryKey", "the keys", name),
    )


def token(document: Any, name: str) -> str:
    return _text(document, "accessToken", "the token", name)


def log(document: Any, name: str) -> str:
    text = document.get("content") if isinstance(document, Mapping) else None
    if text is not None and not isinstance(text, str):
        raise UnavailableError(f"Azure ML's answer for the log of “{name}” holds no text.")
    if text is None and not (isinstance(document, Mapping) and "content" in document):
        raise UnavailableError(f"Azure ML's answer for the log of “{name}” holds no log.")
    return text or ""


def tail(text: str, line_limit: int) -> LogTail:
    """The last lines of what was read; there is no more when fewer came than were asked for."""
    lines = text.splitlines()
    kept = lines[-line_limit:]
    return LogTail(
        text="".join(f"{line}\n" for line in kept),
        line_count=len(kept),
        limit=line_limit,
        complete=len(lines) <= line_limit,
    )


def wants_token(deployment: Deployment) -> bool:
    return deployment.properties.get("authentication") == TOKEN_AUTH


def check_takes_models(item: Mapping[str, Any]) -> None:
    """Refuse what the SDK could only do by building an image the old way.

    Raises:
        InvalidRequestError: the service was made from a finished image.
    """
    if not (item.get("environmentImageRequest") or {}).get("modelIds"):
        raise InvalidRequestError(
            f"“{item.get('name')}” was deployed from an image and cannot take another model; "
            "deploy the model under a new name."
        )


def document(
    name: str, uri: str, credential: Callable[[], str | None], *, timeout_s: float
) -> Mapping[str, Any]:
    """The OpenAPI document at `uri`; the credential is fetched if it is asked for.

    Raises:
        NotFoundError: the service has none.
        UnavailableError: it does not answer.
        OperationFailedError: it answers something else.
    """
    import requests

    def ask(headers: Mapping[str, str]) -> requests.Response:
        try:
            return requests.get(
                uri,
                params={"version": "3"},
                headers=headers,
                timeout=timeout_s,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise UnavailableError(f"The certificate of “{name}” was not accepted.") from error
        except requests.RequestException as error:
            raise UnavailableError(f"“{name}” does not answer.") from error

    answer = ask({})
    if answer.status_code in (401, 403) and (key := credential()):
        answer = ask({"Authorization": f"Bearer {key}"})
    if answer.status_code == 404:
        raise NotFoundError("API description for the deployment", name)
    if answer.status_code != 200:
        raise UnavailableError(f"“{name}” answered {answer.status_code}; it is not ready.")
    return _mapping(name, answer.content)


def _mapping(name: str, body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise OperationFailedError(
            f"“{name}” describes itself in something other than JSON."
        ) from error
    if not isinstance(found, Mapping):
        raise OperationFailedError(f"“{name}” describes itself in something other than OpenAPI.")
    return found


def _text(document: Any, field: str, what: str, name: str) -> str:
    value = document.get(field) if isinstance(document, Mapping) else None
    if not isinstance(value, str) or not value:
        raise UnavailableError(f"Azure ML's answer for {what} of “{name}” lacks {field}.")
    return value
