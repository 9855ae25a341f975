"""Web services of an Azure ML workspace, on Container Instances and on Kubernetes.

What Azure says of a service is asked each time. What was asked of it from here, and when
it was seen to end, is kept in `Passages`: a deployment is shown from the moment it is
wanted, also while it is still being handed over, and also when that failed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.azure import deployment_records, service_description
from services.azure.connection import Connection
from services.azure.deployment_changes import DeploymentChanges
from services.azure.deployment_progress import DeploymentProgress
from services.azure.model_management import ModelManagement
from services.domain import (
    Deployment,
    DeploymentState,
    KeyKind,
    Keys,
    LogTail,
    Transition,
    check_deployment_name,
    split_id,
)
from services.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from services.passages import CREATE, Passages, Scope
from services.ports import Deployments

log = logging.getLogger(__name__)

KIND = "deployment"


class AzureDeployments(Deployments):
    """Reading costs one request, and one more while a change of ours is under way."""

    def __init__(self, connection: Connection, passages: Passages) -> None:
        self._connection = connection
        self._passages = passages
        self._azure = ModelManagement(connection)
        self._progress = DeploymentProgress(self._azure, passages)
        self._changes = DeploymentChanges(connection, self._azure, passages)

    def list(self) -> tuple[Deployment, ...]:
        records = map(deployment_records.record, self._azure.pages("/services", kind=KIND))
        shown = self._progress.shown(tuple(records))
        return tuple(sorted(shown, key=lambda each: (-each.created_at.timestamp(), each.name)))

    def get(self, name: str) -> Deployment:
        return self._found(name)[0]

    def begin_create(
        self,
        name: str,
        model_id: str,
        *,
        auth: bool = True,
        telemetry: bool = False,
        cpu_cores: float = 1.0,
        memory_gb: float = 1.0,
        description: str = "",
    ) -> Deployment:
        """Handed to Azure in the background: uploading alone takes longer than a page waits."""
        check_deployment_name(name)
        self._check_model(model_id)
        if self._exists(name):
            raise ConflictError(f"“{name}” is already deployed; choose another name.")
        wanted = {
            "model": model_id,
            "auth": auth,
            "telemetry": telemetry,
            "cpu_cores": cpu_cores,
            "memory_gb": memory_gb,
            "description": description,
        }
        passage = self._passages.begin(name, CREATE, wanted)
        if passage is None:
            raise ConflictError(f"“{name}” is being deployed or deleted; choose another name.")
        self._connection.journal.record("deployment.create", f"deployment/{name}", after=wanted)
        self._changes.hand_over_create(passage, name, wanted)
        return deployment_records.handed_over(self._passages.all(name)[0])

    def begin_update(
        self, name: str, *, model_id: str | None = None, telemetry: bool | None = None
    ) -> Deployment:
        """Application Insights is switched in one request; a model is handed over meanwhile."""
        before, item = self._found(name)
        if before.state is DeploymentState.TRANSITIONING:
            raise ConflictError(f"“{name}” is still in transition; wait until it has settled.")
        if item is None:
            raise InvalidRequestError(
                f"“{name}” never reached Azure; delete it and deploy the model again."
            )
        wanted = {
            "model": before.model_id if model_id is None else model_id,
            "telemetry": before.telemetry_enabled if telemetry is None else telemetry,
        }
        current = {"model": before.model_id, "telemetry": before.telemetry_enabled}
        failed = before.state is DeploymentState.FAILED
        other_model = wanted["model"] != current["model"] or (failed and model_id is not None)
        if wanted == current and not failed:
            return before
        if other_model:
            self._check_model(str(wanted["model"]))
            service_description.check_takes_models(item)
        passage = self._passages.begin(
            name, "update model" if other_model else "update telemetry", wanted
        )
        if passage is None:
            raise ConflictError(f"“{name}” is still in transition; wait until it has settled.")
        if other_model:
            self._changes.hand_over_model(passage, name, wanted)
        else:
            self._changes.switch_telemetry(passage, name, bool(wanted["telemetry"]))
        self._connection.journal.record(
            "deployment.update", f"deployment/{name}", before=current, after=wanted
        )
        now = datetime.now(UTC)
        return replace(before, state=DeploymentState.TRANSITIONING, state_since=now, error="")

    def delete(self, name: str) -> None:
        known = self._passages.withdraw(name)
        if self._changes.delete(name) or known:
            self._connection.journal.record("deployment.delete", f"deployment/{name}")

    def transitions(self, name: str | None = None) -> tuple[Transition, ...]:
        """What was asked for or seen from here; Azure keeps no such history."""
        return tuple(
            Transition(
                kind=each.kind,
                started_at=each.started_at,
                ended_at=each.ended_at,
                outcome=each.outcome,
            )
            for each in self._passages.all(name)
        )

    def keys(self, name: str) -> Keys:
        """When a key was replaced is known of what was asked for from here."""
        self._check_keys(name)
        return replace(
            self._keys(name),
            primary_regenerated_at=self._regenerated_at(name, KeyKind.PRIMARY),
            secondary_regenerated_at=self._regenerated_at(name, KeyKind.SECONDARY),
        )

    def keys_replaced_at(self, name: str) -> Mapping[KeyKind, datetime]:
        """Of what was asked for from here; no request."""
        known = {kind: self._regenerated_at(name, kind) for kind in KeyKind}
        return {kind: at for kind, at in known.items() if at is not None}

    def begin_regenerate_key(self, name: str, kind: KeyKind) -> None:
        self._check_keys(name)
        passage = self._passages.begin(name, f"regenerate {kind} key", {}, scope=Scope.KEYS)
        if passage is None:
            raise ConflictError(f"A key of “{name}” is being regenerated; wait until it is done.")
        self._changes.regenerate(passage, name, kind)
        self._connection.journal.record(
            "deployment.regenerate key", f"deployment/{name}", after={"key": kind.value}
        )

    def logs(self, name: str, *, line_limit: int = 5000) -> LogTail:
        """One more line than wanted is asked for: only so it shows whether that is all."""
        try:
            document = self._azure.read(
                f"/services/{name}/logs",
                kind=KIND,
                name=name,
                tail=str(line_limit + 1),
                init="False",
            )
        except NotFoundError:  # not at Azure: still being handed over, or it never arrived
            return service_description.tail(self.get(name).error, line_limit)
        return service_description.tail(service_description.log(document, name), line_limit)

    def swagger(self, name: str) -> Mapping[str, Any]:
        deployment = self.get(name)
        if deployment.swagger_uri is None:
            raise UnavailableError(f"“{name}” has no address yet.")
        return service_description.document(
            name,
            deployment.swagger_uri,
            lambda: self.credential(deployment),
            timeout_s=self._connection.deadlines.limit_s,
        )

    def credential(self, deployment: Deployment) -> str | None:
        """What authorises one scoring request: a key, or a token where the service wants one.

        Raises:
            ServiceError: as `keys`.
        """
        if not deployment.auth_enabled:
            return None
        if not service_description.wants_token(deployment):
            return self._keys(deployment.name).primary
        path = f"/services/{deployment.name}/token"
        answer = self._azure.change("POST", path, kind=KIND, name=deployment.name)
        return service_description.token(answer.document, deployment.name)

    def _keys(self, name: str) -> Keys:
        answer = self._azure.change("POST", f"/services/{name}/listkeys", kind=KIND, name=name)
        return service_description.keys(answer.document, name)

    def _regenerated_at(self, name: str, kind: KeyKind) -> datetime | None:
        ended = (
            each.ended_at
            for each in self._passages.all(name, scope=Scope.KEYS)
            if each.kind == f"regenerate {kind} key" and each.outcome is DeploymentState.HEALTHY
        )
        return next(ended, None)

    def _found(self, name: str) -> tuple[Deployment, Any]:
        """The deployment, and Azure's description of it; None while Azure has none."""
        try:
            item = self._azure.read(f"/services/{name}", kind=KIND, name=name, expand="true")
        except NotFoundError:
            return self._progress.handed_over(name), None
        return self._progress.of_one(deployment_records.record(item)), item

    def _exists(self, name: str) -> bool:
        try:
            self._found(name)
        except NotFoundError:
            return False
        return True

    def _check_model(self, model_id: str) -> None:
        split_id("model", model_id)
        self._azure.read(f"/models/{model_id}", kind="model", name=model_id)

    def _check_keys(self, name: str) -> None:
        deployment, item = self._found(name)
        if not deployment.auth_enabled:
            raise InvalidRequestError(f"“{name}” accepts anonymous calls; it has no keys.")
        if service_description.wants_token(deployment):
            raise InvalidRequestError(
                f"“{name}” is called with Microsoft Entra tokens; it has no keys."
            )
        if item is None:
            raise UnavailableError(f"“{name}” has no keys yet; Azure has not accepted it.")
