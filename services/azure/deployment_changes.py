"""Changes of web services: handed to Azure, the slow ones in the background.

What fails there has nobody waiting for it. Its reason is noted on the passage, where the
deployment shows it, in the audit log, and in the dashboard's own log.
"""

from __future__ import annotations

import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.azure import deployment_package
from services.azure.connection import Connection
from services.azure.deployment_progress import operation
from services.azure.model_management import ModelManagement
from services.azure.sdk_errors import retold
from services.domain import DeploymentState, KeyKind
from services.errors import NotFoundError, ServiceError
from services.passages import Passages

log = logging.getLogger(__name__)

KIND = "deployment"
FOLLOWED_FOR_S = 300.0  # a key that Azure is still replacing
LONGEST_PAUSE_S = 5.0
DELETION_WAIT_S = 10.0


class DeploymentChanges:
    def __init__(self, connection: Connection, azure: ModelManagement, passages: Passages) -> None:
        self._connection, self._azure, self._passages = connection, azure, passages

    def hand_over_create(self, passage: int, name: str, wanted: Mapping[str, Any]) -> None:
        def deploy() -> str | None:
            with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
                source = deployment_package.fetch(
                    self._connection, self._azure, wanted["model"], Path(folder)
                )
                if self._withdrawn(passage, name):
                    return None
                return deployment_package.deploy(self._connection, source, name, wanted)

        self._in_background(passage, name, "create", deploy)

    def hand_over_model(self, passage: int, name: str, wanted: Mapping[str, Any]) -> None:
        def update() -> str | None:
            with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
                source = deployment_package.fetch(
                    self._connection, self._azure, wanted["model"], Path(folder)
                )
                image = deployment_package.image_request(self._connection, source, name)
            patch = [
                {"op": "replace", "path": "/environmentImageRequest", "value": image},
                _telemetry(wanted["telemetry"]),
            ]
            if self._withdrawn(passage, name):
                return None
            return self._patched(name, patch)

        self._in_background(passage, name, "update", update)

    def switch_telemetry(self, passage: int, name: str, enabled: bool) -> None:
        """One request that names this one setting: every other keeps its value.

        Raises:
            ServiceError: Azure refused; the passage has ended.
        """
        try:
            accepted = self._patched(name, [_telemetry(enabled)])
        except ServiceError as error:
            self._passages.end(passage, DeploymentState.FAILED, error=_sentence("update", error))
            raise
        self._passages.accepted(passage, accepted)

    def regenerate(self, passage: int, name: str, kind: KeyKind) -> None:
        """Accepted here and now; that it was done is seen to in the background.

        Raises:
            ServiceError: Azure refused; the passage has ended.

        Source: azureml-core 1.61.0, ``Webservice.regen_key``, which sleeps 5 s at a time.
        """
        body = {"keyType": kind.value, "keyValue": None}
        try:
            answer = self._azure.change(
                "POST", f"/services/{name}/regenerateKeys", kind=KIND, name=name, body=body
            )
        except ServiceError as error:
            self._passages.end(
                passage, DeploymentState.FAILED, error=_key_sentence(kind, str(error))
            )
            raise
        self._passages.accepted(passage, answer.operation)

        def follow() -> None:
            word, reason = self._followed(answer.operation, name, FOLLOWED_FOR_S)
            if word in ("Succeeded", "Unknown"):
                self._passages.end(passage, DeploymentState.HEALTHY)
                return
            sentence = _key_sentence(kind, reason or f"Azure reports {word}.")
            self._passages.end(passage, DeploymentState.FAILED, error=sentence)
            self._report("regenerate key", name, sentence)

        self._connection.deadlines.background(f"regenerating a key of “{name}”", follow)

    def delete(self, name: str) -> bool:
        """Whether Azure had it. Waits a little for it to be gone, as deleting usually is quick."""
        try:
            answer = self._azure.change("DELETE", f"/services/{name}", kind=KIND, name=name)
        except NotFoundError:
            return False
        if answer.operation:
            self._followed(answer.operation, name, DELETION_WAIT_S)
        return answer.status != 204

    def _in_background(
        self, passage: int, name: str, doing: str, hand_over: Callable[[], str | None]
    ) -> None:
        def run() -> None:
            try:
                accepted = hand_over()
            except Exception as error:  # the SDK's own have no common base
                failure = error if isinstance(error, ServiceError) else retold(error, KIND, name)
                sentence = _sentence(doing, failure)
                self._passages.end(passage, DeploymentState.FAILED, error=sentence)
                self._report(doing, name, sentence)
                if failure is not error:  # its own text may quote headers
                    where = "".join(traceback.format_tb(error.__traceback__))
                    log.warning("%s came from\n%s", type(error).__name__, where)
                return
            if not self._passages.accepted(passage, accepted):
                self.delete(name)
                self._passages.end(passage, DeploymentState.UNKNOWN)

        self._connection.deadlines.background(f"handing over “{name}”", run)

    def _patched(self, name: str, patch: list[dict[str, Any]]) -> str | None:
        answer = self._azure.change("PATCH", f"/services/{name}", kind=KIND, name=name, body=patch)
        return answer.operation

    def _followed(self, operation_id: str | None, name: str, limit_s: float) -> tuple[str, str]:
        """How an operation ended, in Azure's word, and why."""
        if operation_id is None:
            return "Unknown", ""
        deadline, pause_s = time.monotonic() + limit_s, 0.25
        while True:
            word, reason, _ = operation(self._azure, operation_id, name)
            if word not in ("Running", "NotStarted") or time.monotonic() > deadline:
                return word, reason
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _withdrawn(self, passage: int, name: str) -> bool:
        latest = self._passages.latest().get(name)
        return latest is None or latest.id != passage or latest.withdrawn

    def _report(self, doing: str, name: str, sentence: str) -> None:
        log.warning("%s of %s failed: %s", doing, name, sentence)
        self._connection.journal.record(
            f"deployment.{doing} failed", f"deployment/{name}", after={"reason": sentence}
        )


def _telemetry(enabled: bool) -> dict[str, Any]:
    return {"op": "replace", "path": "/appInsightsEnabled", "value": enabled}


def _sentence(doing: str, error: ServiceError) -> str:
    what = "The deployment was not accepted" if doing == "create" else "The update was not made"
    return f"{what}: {error}"


def _key_sentence(kind: KeyKind, reason: str) -> str:
    return f"The {kind.lower()} key was not regenerated: {reason}"
