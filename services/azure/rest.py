"""One request of the SDK's REST clients, answered as JSON rather than as the SDK's models.

The SDK reads a whole list at once: one entry with a date it cannot read and nothing is
listed. Read as JSON, every entry stands for itself. Sign-in, retries and addresses stay
the SDK's own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

TIMEOUT_S = 10
RETRIES = 1
AGAIN, PAUSE_S = frozenset({429, 500, 502, 503, 504}), 0.5
PAGE_LIMIT = 200  # a service that never ends its pages does not keep us for ever


def patient(client: Any) -> Any:
    """The same REST client, told not to wait and not to insist.

    Source: msrest 0.7.1, ``Configuration``; without it a read waits 100 s.
    """
    retrying = client.config.retry_policy
    retrying.retries = RETRIES
    retrying.policy.status_forcelist = frozenset()  # `insisting` sees to what was answered
    retrying.policy.respect_retry_after_header = False  # it may ask for minutes
    client.config.connection.timeout = TIMEOUT_S
    client.config.keep_alive = True  # or every request signs on to the host anew
    return client


def path_of(operation: Any, **arguments: str) -> str:
    """The address of a generated operation, its ``{placeholders}`` filled in."""
    quoted = {name: quote(value, safe="") for name, value in arguments.items()}
    return str(operation.metadata["url"]).format(**quoted)


def get(client: Any, path: str, query: Mapping[str, str] | None = None) -> Any:
    """The JSON of one answer.

    Raises:
        HttpOperationError: any status but 200.
        ValueError: what came back is no JSON.
    """
    from msrest.exceptions import HttpOperationError

    service = patient(client)._client
    url, accepted = service.format_url(path), {"Accept": "application/json"}
    answer = insisting(
        lambda: service.send(service.get(url, dict(query or {})), accepted, stream=False)
    )
    if answer.status_code != 200:
        raise HttpOperationError(client._deserialize, answer)
    return json.loads(answer.content)  # the error of `answer.json` counts as one of the network


def insisting(ask: Callable[[], Any]) -> Any:
    """The answer to a question that changes nothing; asked once more where Azure was too busy."""
    answer = ask()
    if answer.status_code in AGAIN:
        time.sleep(PAUSE_S)
        answer = ask()
    return answer


def pages(client: Any, path: str, query: Mapping[str, str], *, token: str) -> Iterator[Any]:
    """Every entry of a list, page after page.

    Args:
        token: the parameter that asks for the next page: ``continuationToken`` or
            ``$skipToken``.
    """
    asked = dict(query)
    for _ in range(PAGE_LIMIT):
        answer = get(client, path, asked)
        yield from answer["value"] or ()
        following = _next(answer, token)
        if not following or asked.get(token) == following:
            return
        asked[token] = following


def _next(answer: Mapping[str, Any], token: str) -> str | None:
    link = answer.get("nextLink")
    if link:
        return next(iter(parse_qs(urlsplit(link).query).get(token, ())), None)
    return answer.get("continuationToken")
