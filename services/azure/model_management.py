"""The web-service routes of Azure ML's model management service, as JSON.

The SDK's own classes are passed by for reading, at the same address and with the same
sign-in: ``Webservice.list`` fails as a whole for one payload it cannot read, reading keys,
logs or one service has no timeout, and reading a service looks up the run behind each of
its models, which creates the experiment again where somebody had deleted it.

Source: azureml-core 1.61.0, ``core/webservice/webservice.py`` and ``Model.deserialize``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from services.azure import sdk
from services.azure.connection import Connection
from services.azure.sdk_errors import message_of

if TYPE_CHECKING:
    import requests
    from azureml.core import Workspace as SdkWorkspace

RETRIED = frozenset({429, 502, 503, 504})
LONGEST_PAUSE_S = 3.0
PAGE_LIMIT = 100


class RefusedError(Exception):
    """Azure answered with an error; read by `sdk_errors.retold`."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code, self.message = status_code, message


@dataclass(frozen=True, slots=True)
class Answer:
    """What Azure said; `operation` is the id of what it accepted and goes on doing."""

    status: int
    document: Any
    operation: str | None


class ModelManagement:
    """Every request has a timeout; reading is tried twice, changing once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, path: str, *, kind: str, name: str = "", **query: str) -> Any:
        """The JSON document at `path`, which starts with a slash, below the workspace.

        Raises:
            ServiceError: retold; `kind` and `name` are for its sentence.
        """
        return self._connection.call(
            kind, lambda sdk_workspace: self._read(sdk_workspace, path, query), name=name
        )

    def pages(self, path: str, *, kind: str) -> list[Any]:
        """Every item of a list, however many pages it has; one request for a page."""

        def collected(sdk_workspace: SdkWorkspace) -> list[Any]:
            items: list[Any] = []
            address, query = _address(sdk_workspace) + path, {"expand": "true"}
            for _ in range(PAGE_LIMIT):
                page = self._asked("GET", address, query=query).document
                items.extend(page["value"])
                if not page.get("nextLink"):
                    break
                address, query = _same_host(page["nextLink"], address), {}
            return items

        return self._connection.call(kind, collected)

    def change(
        self,
        method: str,
        path: str,
        *,
        kind: str,
        name: str,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
    ) -> Answer:
        """Ask for a change, once.

        Raises:
            ServiceError: retold.
        """
        return self._connection.call(
            kind,
            lambda sdk_workspace: self._asked(method, _address(sdk_workspace) + path, body=body),
            name=name,
        )

    def _read(self, sdk_workspace: SdkWorkspace, path: str, query: Mapping[str, str]) -> Any:
        return self._asked("GET", _address(sdk_workspace) + path, query=query).document

    def _asked(
        self,
        method: str,
        address: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        import requests

        limit_s = self._connection.deadlines.limit_s
        patch = method == "PATCH"
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": f"application/{'json-patch+json' if patch else 'json'}",
        }
        for attempt in (1, 2):
            last = attempt == 2 or method != "GET"
            try:
                answer = requests.request(
                    method,
                    address,
                    params=query,
                    headers=headers,
                    data=None if body is None else json.dumps(body),
                    timeout=limit_s,
                    allow_redirects=False,
                )
            except requests.ConnectionError:
                if last:
                    raise
                continue
            if last or answer.status_code not in RETRIED:
                break
            time.sleep(_pause_s(answer))
        return _understood(answer)

    def _token(self) -> str:
        return self._connection.tokens.get(f"{AUDIENCE[self._connection.config.cloud.value]}/")


# Source: azureml-core 1.61.0, the only audience its services are ever asked with.
AUDIENCE = {
    "AzureCloud": "https://management.core.windows.net",
    "AzureChinaCloud": "https://management.core.chinacloudapi.cn",
    "AzureUSGovernment": "https://management.core.usgovcloudapi.net",
}


def _address(sdk_workspace: SdkWorkspace) -> str:
    sdk.prepare()
    from azureml._model_management._util import _get_mms_url

    return str(_get_mms_url(sdk_workspace))


def _same_host(link: str, address: str) -> str:
    """The next page, if it is where the first one was: the token goes nowhere else."""
    if urlsplit(link)[:2] != urlsplit(address)[:2]:
        raise ValueError("the next page of the list is on another host")
    return link


def _pause_s(answer: requests.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdigit() else 1.0, LONGEST_PAUSE_S)


def _understood(answer: requests.Response) -> Answer:
    if not 200 <= answer.status_code < 300:
        raise RefusedError(answer.status_code, message_of(RuntimeError(answer.text)))
    location = answer.headers.get("Operation-Location", "")
    # Not `answer.json()`: its error counts as one of the network.
    document = json.loads(answer.content) if answer.content.strip() else None
    return Answer(answer.status_code, document, location.rstrip("/").rpartition("/")[2] or None)
