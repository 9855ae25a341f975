"""Azure's words about a web service, together with what is under way from here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.azure import deployment_records
from services.azure.model_management import ModelManagement
from services.domain import Deployment, DeploymentState
from services.errors import NotFoundError, ServiceError
from services.passages import CREATE, Passage, Passages, Scope

log = logging.getLogger(__name__)

HAND_OVER_LIMIT = timedelta(minutes=10)  # for what is handed to Azure in the background
LISTED_WITHIN = timedelta(minutes=2)  # how long Azure may take to show what it has accepted
NOT_HANDED_OVER = (
    "Azure did not accept it within 10 minutes, or the dashboard ended meanwhile; "
    "delete it and deploy the model again."
)
NOT_MADE = "The update did not reach Azure within 10 minutes; try it again."
VANISHED = "Azure accepted it and then has it no longer; delete it and deploy the model again."


class DeploymentProgress:
    """Closes a passage when the end of it is seen. Nothing is asked of Azure that changes it."""

    def __init__(self, azure: ModelManagement, passages: Passages) -> None:
        self._azure, self._passages = azure, passages

    def shown(self, records: Sequence[Deployment]) -> Iterator[Deployment]:
        """What Azure lists, and what it does not list yet."""
        latest = self._passages.latest()
        keys = self._passages.latest(Scope.KEYS)
        for record in records:
            passage = latest.get(record.name)
            if passage is None or not (passage.open and passage.withdrawn):
                yield self._with(record, passage, keys.get(record.name))
        listed = {record.name for record in records}
        for name, passage in latest.items():
            if name not in listed and (missing := self._missing(passage)):
                yield missing

    def of_one(self, record: Deployment) -> Deployment:
        passage = self._passages.latest().get(record.name)
        if passage is not None and passage.open and passage.withdrawn:
            raise NotFoundError("deployment", record.name)
        return self._with(record, passage, self._passages.latest(Scope.KEYS).get(record.name))

    def handed_over(self, name: str) -> Deployment:
        """What Azure does not have (yet).

        Raises:
            NotFoundError: nobody asked for it either.
        """
        passage = self._passages.latest().get(name)
        missing = self._missing(passage) if passage else None
        if missing is None:
            raise NotFoundError("deployment", name)
        return missing

    def _missing(self, passage: Passage) -> Deployment | None:
        if passage.kind != CREATE or passage.withdrawn:
            return None
        if not passage.open:
            refused = passage.outcome is DeploymentState.FAILED and passage.accepted_at is None
            vanished = passage.error == VANISHED
            return deployment_records.handed_over(passage) if refused or vanished else None
        now = datetime.now(UTC)
        if passage.accepted_at is None:
            late = now - passage.started_at > HAND_OVER_LIMIT
            return self._given_up(passage, NOT_HANDED_OVER) if late else _pending(passage)
        late = now - passage.accepted_at > LISTED_WITHIN
        return self._given_up(passage, VANISHED) if late else _pending(passage)

    def _given_up(self, passage: Passage, reason: str) -> Deployment:
        self._passages.end(passage.id, DeploymentState.FAILED, error=reason)
        ended = replace(passage, error=reason, ended_at=datetime.now(UTC))
        return deployment_records.handed_over(ended)

    def _with(
        self, record: Deployment, passage: Passage | None, keys: Passage | None
    ) -> Deployment:
        if record.state is DeploymentState.UNKNOWN:
            return record
        if passage is None or not passage.open:
            return self._without_news(record, passage, keys)
        if passage.accepted_at is None and passage.kind != CREATE:
            if datetime.now(UTC) - passage.started_at <= HAND_OVER_LIMIT:
                return _in_transition(record, passage)
            self._passages.end(passage.id, DeploymentState.FAILED, error=NOT_MADE)
            return replace(record, error=record.error or NOT_MADE)
        if not record.state.settled:
            return _in_transition(record, passage)
        word, reason, at = self._operation(passage)
        final = passage.kind == CREATE and record.state is DeploymentState.FAILED
        if word == "Running" and not final:
            return _in_transition(record, passage)
        failed = word in ("Failed", "TimedOut", "Cancelled")
        outcome = DeploymentState.FAILED if failed else record.state
        error = _not_done(passage, reason) if failed else record.error
        self._passages.end(passage.id, outcome, error=error, at=at)
        return replace(record, error=record.error or error, state_since=at)

    def _without_news(
        self, record: Deployment, passage: Passage | None, keys: Passage | None
    ) -> Deployment:
        """Nothing of ours is under way; what is, somebody else has asked for."""
        if not record.state.settled:
            kind = CREATE if record.updated_at == record.created_at else "update"
            self._passages.begin(record.name, kind, {}, since=record.updated_at)
            return replace(record, state_since=record.updated_at)
        notes = [record.error]
        if passage is not None and passage.kind != CREATE:
            notes.append(passage.error)
        if keys is not None:
            notes.append(keys.error)
        settled = passage is not None and passage.outcome is record.state
        return replace(
            record,
            error=next((note for note in notes if note), ""),
            state_since=passage.ended_at if passage is not None and settled else None,
        )

    def _operation(self, passage: Passage) -> tuple[str, str, datetime | None]:
        """What Azure says of the operation: its word, why it failed, when it ended."""
        if passage.operation is None:
            return "Unknown", "", None
        return operation(self._azure, passage.operation, passage.deployment)


def operation(
    azure: ModelManagement, operation_id: str, name: str
) -> tuple[str, str, datetime | None]:
    """What Azure says of an operation: its word, why it failed, when it ended.

    “Unknown” where it cannot be told: the state of the service itself then counts.
    """
    try:
        told: Any = azure.read(f"/operations/{operation_id}", kind="deployment", name=name)
        ended = told.get("endTime")
        word = str(told["state"])
        reason = deployment_records.failure(told.get("error"))
        return word, reason, deployment_records.instant(ended) if ended else None
    except (ServiceError, KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("operation %s of %s cannot be followed: %s", operation_id, name, error)
        return "Unknown", "", None


def _pending(passage: Passage) -> Deployment:
    return deployment_records.handed_over(passage)


def _in_transition(record: Deployment, passage: Passage) -> Deployment:
    return replace(
        record,
        state=DeploymentState.TRANSITIONING,
        state_since=passage.started_at,
        error="",
    )


def _not_done(passage: Passage, reason: str) -> str:
    doing = "The deployment" if passage.kind == CREATE else "The last update"
    return f"{doing} failed: {reason}" if reason else f"{doing} failed; its log may say why."
