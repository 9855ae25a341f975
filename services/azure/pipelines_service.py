"""The workspace's pipelines service: one request each, by the SDK's own REST client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from services.azure import sdk
from services.azure.connection import Connection
from services.azure.sdk_errors import translated

T = TypeVar("T")

TIMEOUT_S = 10  # the client's own is 100
JSON = "application/json; charset=utf-8"


class RefusedError(Exception):
    """The service answered with an error; `sdk_errors` retells it by its status."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code, self.message = status_code, message


class PipelinesService:
    """Answers are JSON as Azure sends it, in PascalCase, and go back as they came.

    The SDK's models know only some of the fields: what they read and write again has lost
    the others, and one schedule with a time zone they do not know spoils a whole list. Its
    workflow provider also writes data types when it is made. Its REST client underneath,
    which signs in, retries and knows the addresses, has neither habit.

    Source: azureml-pipeline-core 1.62.0, ``_AevaWorkflowProvider.create_service_caller``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, path: str, kind: str, name: str = "", **query: str) -> Any:
        return self.call(kind, name, lambda: self.send("GET", path, query=query))

    def post(self, path: str, body: Any, kind: str, name: str = "", **query: str) -> Any:
        return self.call(kind, name, lambda: self.send("POST", path, body=body, query=query))

    def put(self, path: str, body: Any, kind: str, name: str = "") -> Any:
        return self.call(kind, name, lambda: self.send("PUT", path, body=body))

    def delete(self, path: str, kind: str, name: str = "") -> None:
        self.call(kind, name, lambda: self.send("DELETE", path))

    def call(self, kind: str, name: str, function: Callable[[], T]) -> T:
        """What `function` makes of `send`, within the deadline, errors retold."""
        return self._connection.call(kind, lambda _: function(), name=name)

    def all(self, kind: str, name: str, functions: Sequence[Callable[[], T]]) -> list[T]:
        """Several of them side by side, their answers in order."""
        doing = f"asked for {kind} “{name}”" if name else f"asked for the {kind}s"
        sdk.load()
        with translated(kind, name):
            return self._connection.deadlines.all(doing, functions)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request, on the thread of the caller; None for an empty answer.

        Raises:
            RefusedError: any status but 2xx.
        """
        answer = self._exchange(method, path, body, query, headers)
        return json.loads(answer.text) if answer.text.strip() else None

    def text(self, path: str, body: Any) -> str:
        """One POST whose answer is plain text, as logs are; on the thread of the caller."""
        answer = self._exchange("POST", path, body)
        return str(answer.content.decode("utf-8", errors="replace"))

    def _exchange(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        client = self._caller._caller._client
        request = getattr(client, method.lower())(self._address(path), dict(query or {}))
        sent = {**self._caller._get_custom_headers(), "Content-Type": JSON, **(headers or {})}
        answer = client.send(request, sent, body, stream=False)
        if not 200 <= answer.status_code < 300:
            raise RefusedError(answer.status_code, _message(answer.text))
        return answer

    def _address(self, path: str) -> str:
        return f"/pipelines/v1.0{self._connection.arm_id}/{path}"

    @cached_property
    def _caller(self) -> Any:
        sdk.load()
        from azureml.pipeline.core._aeva_provider import _AevaWorkflowProvider

        caller = _AevaWorkflowProvider.create_service_caller(
            self._connection.workspace, "dashboard"
        )
        config = caller._caller.config
        config.connection.timeout = TIMEOUT_S
        config.keep_alive = True
        config.retry_policy.retries = 1
        config.retry_policy.policy.respect_retry_after_header = False
        config.retry_policy.policy.raise_on_status = False
        return caller


def _message(text: str) -> str:
    """The sentence in an error's body, however it is spelled; never the body itself."""
    try:
        body: Any = json.loads(text)
    except ValueError:
        return ""
    for key in ("error", "Error"):
        if isinstance(body, dict) and isinstance(body.get(key), dict):
            body = body[key]
    message = (body.get("message") or body.get("Message")) if isinstance(body, dict) else None
    return message if isinstance(message, str) else ""
