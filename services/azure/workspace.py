"""An Azure ML workspace behind the ports, through the unmodified SDK v1."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from services.alerts.ports import Alerts, MetricBands, Probes
from services.azure.connection import Connection, Journal
from services.azure.deadlines import Deadlines
from services.azure.sign_in import AzureConfig
from services.capacity import CapacitySearches
from services.domain import Capability, Component
from services.load_test_rules import LoadTestRules
from services.log_archive import LogArchives
from services.passages import Passages
from services.pauses import Pauses
from services.ports import (
    AuditLog,
    Baselines,
    Deployments,
    Evaluations,
    Flow,
    LoadTests,
    Pipelines,
    Scoring,
    Workspace,
)
from services.retraining_loop import RetrainingLoop
from services.retries import Retries
from services.rotation import Rotations
from services.schedule_changes import Changes
from services.scored.gate import GoldenGate
from services.scored.records import ScoredRequests

if TYPE_CHECKING:
    from services.azure.datasets import AzureDatasets
    from services.azure.deployments import AzureDeployments
    from services.azure.models import AzureModels
    from services.azure.pipelines import AzurePipelines
    from services.azure.runs import AzureRuns
    from services.azure.schedules import AzureSchedules
    from services.azure.scoring import AzureScoring
    from services.azure.telemetry import AzureTelemetry

CAPABILITIES = frozenset(
    {
        Capability.TELEMETRY_QUERY,
        Capability.INSPECT_SOURCE,
        Capability.ALERTS,
        Capability.PAUSE_SCHEDULES,
        Capability.RETRY_PIPELINE_RUNS,
        Capability.RETRAINING_LOOP,
    }
)


class Desk(Protocol):
    """What the dashboard keeps itself, since Azure has no place for it."""

    @property
    def journal(self) -> Journal: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def baselines(self) -> Baselines: ...

    @property
    def evaluations(self) -> Evaluations: ...

    @property
    def scored(self) -> ScoredRequests: ...

    @property
    def golden(self) -> GoldenGate: ...

    @property
    def load_test_rules(self) -> LoadTestRules: ...

    @property
    def log_archive(self) -> LogArchives: ...

    @property
    def flow(self) -> Flow: ...

    @property
    def alerts(self) -> Alerts: ...

    @property
    def bands(self) -> MetricBands: ...

    def probes(self, deployments: Deployments) -> Probes:
        """Which of these deployments are probed, and what was found."""

    @property
    def passages(self) -> Passages: ...

    @property
    def pauses(self) -> Pauses: ...

    @property
    def schedule_changes(self) -> Changes: ...

    @property
    def retries(self) -> Retries: ...

    def retraining(self, pipelines: Pipelines) -> RetrainingLoop:
        """Policies of these pipelines, and what was decided about their runs."""

    def rotations(self, deployments: Deployments, scoring: Scoring) -> Rotations:
        """Guided key rotations of these deployments."""

    def load_tests(self, deployments: Deployments) -> LoadTests:
        """Apache Benchmark runs against these deployments."""

    def capacity(self, deployments: Deployments) -> CapacitySearches:
        """Searches for how much these deployments hold."""


class AzureWorkspace(Workspace):
    """Nothing is asked of Azure before a port is used."""

    backend = "azure"
    metered = True
    capabilities = CAPABILITIES

    def __init__(
        self, config: AzureConfig, desk: Desk, *, deadlines: Deadlines | None = None
    ) -> None:
        self.name = config.workspace_name
        self.location = f"{config.resource_group} · {config.subscription_id}"
        self.connection = Connection(config, desk.journal, deadlines=deadlines)
        self._desk = desk

    @cached_property
    def datasets(self) -> AzureDatasets:
        from services.azure.datasets import AzureDatasets

        return AzureDatasets(self.connection)

    @cached_property
    def runs(self) -> AzureRuns:
        from services.azure.runs import AzureRuns

        return AzureRuns(self.connection)

    @cached_property
    def models(self) -> AzureModels:
        from services.azure.models import AzureModels

        return AzureModels(self.connection)

    @cached_property
    def deployments(self) -> AzureDeployments:
        from services.azure.deployments import AzureDeployments

        return AzureDeployments(self.connection, self._desk.passages)

    @cached_property
    def scoring(self) -> AzureScoring:
        from services.azure.scoring import AzureScoring

        return AzureScoring(self.connection, self.deployments)

    @cached_property
    def telemetry(self) -> AzureTelemetry:
        from services.azure.telemetry import AzureTelemetry

        return AzureTelemetry(self.connection)

    @cached_property
    def load_tests(self) -> LoadTests:
        return self._desk.load_tests(self.deployments)

    @property
    def load_test_rules(self) -> LoadTestRules:
        return self._desk.load_test_rules

    @cached_property
    def capacity(self) -> CapacitySearches:
        return self._desk.capacity(self.deployments)

    @cached_property
    def pipelines(self) -> AzurePipelines:
        from services.azure.pipelines import AzurePipelines

        return AzurePipelines(self.connection, self._desk.retries)

    @cached_property
    def schedules(self) -> AzureSchedules:
        from services.azure.schedules import AzureSchedules

        return AzureSchedules(self.connection, self._desk.pauses, self._desk.schedule_changes)

    @cached_property
    def retraining(self) -> RetrainingLoop:
        return self._desk.retraining(self.pipelines)

    @property
    def audit(self) -> AuditLog:
        return self._desk.audit

    @property
    def baselines(self) -> Baselines:
        return self._desk.baselines

    @property
    def evaluations(self) -> Evaluations:
        return self._desk.evaluations

    @cached_property
    def rotations(self) -> Rotations:
        return self._desk.rotations(self.deployments, self.scoring)

    @property
    def scored(self) -> ScoredRequests:
        return self._desk.scored

    @property
    def golden(self) -> GoldenGate:
        return self._desk.golden

    @property
    def log_archive(self) -> LogArchives:
        return self._desk.log_archive

    @property
    def flow(self) -> Flow:
        return self._desk.flow

    @property
    def alerts(self) -> Alerts:
        return self._desk.alerts

    @property
    def bands(self) -> MetricBands:
        return self._desk.bands

    @cached_property
    def probes(self) -> Probes:
        return self._desk.probes(self.deployments)

    def components(self) -> tuple[Component, ...]:
        """Azure keeps its own parts running; whether it answers, each page tells."""
        return ()
