"""What was asked of deployments that live elsewhere, and what is known of its end.

Azure tells how a web service is, not when it became so, and knows nothing of a deployment
that is still being handed over to it. Both are noted here, by whoever asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from services.domain import DeploymentState

CREATE = "create"


class Scope(StrEnum):
    """What a passage is about; a key may be replaced while nothing else changes."""

    SERVICE = "service"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One change of a deployment: asked for, accepted on the other side, ended."""

    id: int
    deployment: str
    scope: Scope = Scope.SERVICE
    kind: str  # "create", "update model", "update telemetry", "regenerate Primary key"
    wanted: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime
    accepted_at: datetime | None = None
    operation: str | None = None  # the other side's id for what it is doing
    ended_at: datetime | None = None
    outcome: DeploymentState | None = None
    error: str = ""  # why it ended otherwise than wanted
    withdrawn: bool = False  # deleted before it was accepted

    @property
    def open(self) -> bool:
        return self.ended_at is None


class Passages(Protocol):
    """Where passages are kept. Of one deployment and scope at most one is open."""

    def latest(self, scope: Scope = Scope.SERVICE) -> Mapping[str, Passage]:
        """The last passage of each deployment that was not deleted since."""

    def all(self, deployment: str | None, *, scope: Scope = Scope.SERVICE) -> tuple[Passage, ...]:
        """Newest first, of one deployment or of all."""

    def begin(
        self,
        deployment: str,
        kind: str,
        wanted: Mapping[str, Any],
        *,
        scope: Scope = Scope.SERVICE,
        since: datetime | None = None,
    ) -> int | None:
        """The id of a new passage; None while another is open.

        Args:
            since: it is under way on the other side already; nobody here asked for it.
        """

    def accepted(self, passage_id: int, operation: str | None) -> bool:
        """The other side took it over. False when it had been withdrawn meanwhile."""

    def end(
        self,
        passage_id: int,
        outcome: DeploymentState,
        *,
        error: str = "",
        at: datetime | None = None,
    ) -> None:
        """Noted once: a passage that has ended stays as it is."""

    def withdraw(self, deployment: str) -> bool:
        """The deployment is deleted: what is open is over, or not to be. Whether there was any."""
