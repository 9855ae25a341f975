"""One question to Azure Resource Manager, asked past the SDK.

The SDK's own client repeats a question that was refused, and waits as long as it is told
to: a throttled sign-on ended only at the deadline, with no word of why.

Source: azureml-core 1.61.0, ``_base_sdk_common``; azure-core 1.41, ``RetryPolicy``.
"""

from __future__ import annotations

import json
from typing import Any

CONNECT_TIMEOUT_S = 5.0


def read(url: str, version: str, token: str, *, timeout_s: float) -> dict[str, Any]:
    """The JSON of one answer.

    Raises:
        requests.RequestException: it could not be asked, or refused.
        ValueError: what came back is no JSON object.
    """
    import requests  # not needed before the first question

    answer = requests.get(
        url,
        params={"api-version": version},
        headers={"Authorization": f"Bearer {token}"},
        timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
        allow_redirects=False,
    )
    answer.raise_for_status()
    found = json.loads(answer.content)
    if not isinstance(found, dict):
        raise ValueError("the answer is no object")
    return found
