"""The bytes behind a data source: an upload, a file on this machine, or a URL."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.domain import DataSource, SourceKind
from services.errors import InvalidRequestError, UnavailableError
from services.tabular import CONTENT_LIMIT_BYTES

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
CHUNK_BYTES = 256 * 1024


def content_of(source: DataSource) -> bytes:
    """Everything the source holds.

    Raises:
        InvalidRequestError: there is no such file, it is too large, or its SHA-256 is
            not the one that was stated.
        UnavailableError: the URL did not answer.
    """
    content = _read(source)
    if source.sha256 is not None:
        found = hashlib.sha256(content).hexdigest()
        if found != source.sha256.lower():
            raise InvalidRequestError(
                f"{source.location} has other contents than expected: its SHA-256 is {found}."
            )
    return content


def _read(source: DataSource) -> bytes:
    if source.kind is SourceKind.URL:
        return _download(source.location)
    if source.kind is SourceKind.PATH:
        return _file(source.location)
    if source.content is None:
        raise InvalidRequestError("Choose a file to upload.")
    return source.content


def _file(location: str) -> bytes:
    path = Path(location).expanduser()
    try:
        if not path.is_file():
            raise InvalidRequestError(f"{location} is not a file on this machine.")
        if (size := path.stat().st_size) > CONTENT_LIMIT_BYTES:
            raise _too_large(location, size)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise InvalidRequestError(f"{location} cannot be read: {reason}.") from error


def _download(url: str) -> bytes:
    import requests  # a tenth of a second, and only needed here

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequestError("A URL starts with https:// or http:// and names a host.")
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as answer:
            if answer.status_code >= 500:
                raise UnavailableError(f"{parts.hostname} answered {answer.status_code}.")
            if answer.status_code != 200:
                raise InvalidRequestError(
                    f"{parts.hostname} answered {answer.status_code} {answer.reason}: check the URL"
                    " in a browser."
                )
            return _collected(url, answer)
    except requests.exceptions.InvalidURL as error:
        raise InvalidRequestError(f"{url} is not a URL that can be read.") from error
    except requests.RequestException as error:
        raise UnavailableError(f"{parts.hostname} could not be reached from here.") from error


def _collected(url: str, answer: requests.Response) -> bytes:
    content = bytearray()
    for chunk in answer.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > CONTENT_LIMIT_BYTES:
            raise _too_large(url, len(content))
    return bytes(content)


def _too_large(location: str, size_bytes: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"{location} has at least {size_bytes / 1024**2:,.0f} MB; "
        f"{CONTENT_LIMIT_BYTES // 1024**2} MB are accepted."
    )
