"""The body of a scoring peer's answer, which may come slowly, in part or without end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
READ_BYTES = 256 * 1024
TOO_LONG = "The deployment's answer is larger than 64 MB; it was not read to its end."


def read(response: requests.Response, deadline: float) -> bytes:
    """The whole body. A server that sends it drop by drop, or without end, is not waited for.

    Raises:
        requests.RequestException: it is not there in time, too long, or breaks off.
    """
    import requests
    import urllib3

    chunks: list[bytes] = []
    left = ANSWER_LIMIT_BYTES
    try:
        while chunk := response.raw.read1(READ_BYTES, decode_content=True):
            chunks.append(chunk)
            left -= len(chunk)
            if left < 0:
                break
            if time.perf_counter() > deadline:
                raise requests.ReadTimeout()
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout() from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    if left < 0:
        raise requests.exceptions.ContentDecodingError(TOO_LONG)
    return b"".join(chunks)
