"""The workspace: every port of it in one place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from services.alerts.ports import Alerts, MetricBands, Probes
from services.capacity import CapacitySearches
from services.domain import (
    AuditEvent,
    Capability,
    Component,
    FlowProgress,
)
from services.errors import InvalidRequestError
from services.load_test_rules import LoadTestRules
from services.log_archive import LogArchives
from services.ports.datasets import Datasets
from services.ports.deployments import Deployments, Scoring
from services.ports.load_tests import LoadTests
from services.ports.models import Evaluations, Models
from services.ports.pipelines import Pipelines
from services.ports.runs import Baselines, Runs
from services.ports.schedules import Schedules
from services.ports.telemetry import Telemetry
from services.retraining_loop import RetrainingLoop
from services.rotation import Rotations
from services.scored.gate import GoldenGate
from services.scored.records import ScoredRequests


class AuditLog(ABC):
    """Who changed what."""

    @abstractmethod
    def list(self, *, subject: str | None = None, limit: int = 200) -> tuple[AuditEvent, ...]:
        """Newest first, of one subject or of all."""

    @abstractmethod
    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note one change. Values are plain and never secret.

        Args:
            action: noun and verb, ``deployment.create``.
            subject: kind and name, ``deployment/bank``.
        """


class Flow(ABC):
    """The whole flow from a dataset to a schedule, done for real, once, as a demonstration."""

    @abstractmethod
    def progress(self) -> FlowProgress:
        """The steps of the last flow, or of one that has not begun."""

    @abstractmethod
    def begin(self) -> FlowProgress:
        """Run the flow in the background. `Capability.WHOLE_FLOW`.

        Raises:
            ConflictError: it is running.
        """


NOT_HELD = "Retrained models are held for approval in a local workspace only."


class Workspace(ABC):
    """Everything one team has trained, deployed and scheduled."""

    name: str
    backend: str  # "local" or "azure"
    location: str  # for people: a folder, or subscription and resource group
    capabilities: frozenset[Capability]
    metered: bool = False  # each read is a request that somebody else's service counts

    @property
    @abstractmethod
    def datasets(self) -> Datasets: ...

    @property
    @abstractmethod
    def runs(self) -> Runs: ...

    @property
    @abstractmethod
    def baselines(self) -> Baselines: ...

    @property
    @abstractmethod
    def models(self) -> Models: ...

    @property
    @abstractmethod
    def evaluations(self) -> Evaluations: ...

    @property
    @abstractmethod
    def deployments(self) -> Deployments: ...

    @property
    @abstractmethod
    def scoring(self) -> Scoring: ...

    @property
    @abstractmethod
    def rotations(self) -> Rotations: ...

    @property
    @abstractmethod
    def scored(self) -> ScoredRequests: ...

    @property
    @abstractmethod
    def golden(self) -> GoldenGate: ...

    @property
    @abstractmethod
    def telemetry(self) -> Telemetry: ...

    @property
    @abstractmethod
    def load_tests(self) -> LoadTests: ...

    @property
    @abstractmethod
    def load_test_rules(self) -> LoadTestRules: ...

    @property
    @abstractmethod
    def capacity(self) -> CapacitySearches: ...

    @property
    @abstractmethod
    def pipelines(self) -> Pipelines: ...

    @property
    @abstractmethod
    def schedules(self) -> Schedules: ...

    @property
    @abstractmethod
    def audit(self) -> AuditLog: ...

    @property
    @abstractmethod
    def flow(self) -> Flow: ...

    @property
    @abstractmethod
    def log_archive(self) -> LogArchives: ...

    @property
    @abstractmethod
    def alerts(self) -> Alerts: ...

    @property
    @abstractmethod
    def bands(self) -> MetricBands: ...

    @property
    @abstractmethod
    def probes(self) -> Probes: ...

    @property
    def retraining(self) -> RetrainingLoop:
        """`Capability.RETRAINING_LOOP`. Raises InvalidRequestError: nobody judges runs here."""
        raise InvalidRequestError(NOT_HELD)

    @abstractmethod
    def components(self) -> tuple[Component, ...]:
        """What works in the background for this workspace, and whether it does."""

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities
