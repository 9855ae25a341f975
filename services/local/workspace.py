"""The embedded workspace: a folder on this machine, opened by any number of processes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from services.domain import Capability, Component, ComponentState
from services.local import soundness
from services.local.audit import LocalAuditLog
from services.local.baselines import LocalBaselines
from services.local.clock import Clock, utc_now
from services.local.evaluations import LocalEvaluations
from services.local.process_table import ProcessTable
from services.local.store import Store
from services.ports import Workspace

if TYPE_CHECKING:
    from services.local.alerts import LocalAlerts
    from services.local.bands import LocalMetricBands
    from services.local.capacity import LocalCapacitySearches
    from services.local.datasets import LocalDatasets
    from services.local.deployments import LocalDeployments
    from services.local.flow import LocalFlow
    from services.local.golden_gate import LocalGoldenGate
    from services.local.load_test_rules import LocalLoadTestRules
    from services.local.load_tests import LocalLoadTests
    from services.local.log_archives import LocalLogArchives
    from services.local.models import LocalModels
    from services.local.pipelines import LocalPipelines
    from services.local.probes import LocalProbes
    from services.local.retraining_loop import LocalRetrainingLoop
    from services.local.rotations import LocalRotations
    from services.local.runs import LocalRuns
    from services.local.schedules import LocalSchedules
    from services.local.scored_requests import LocalScoredRequests
    from services.local.scoring import LocalScoring
    from services.local.telemetry import LocalTelemetry


class LocalWorkspace(Workspace):
    """Opening it starts nothing: the supervisor acts on what is decided here.

    Each port is imported when it is first asked for: a program that needs one of them
    does not wait for the libraries of the others.
    """

    backend = "local"
    capabilities = frozenset(Capability)

    def __init__(self, home: Path, *, clock: Clock = utc_now) -> None:
        self.name = home.name.lstrip(".") or "local"
        self.location = str(home)
        self.home = home
        self.clock = clock
        self.store = Store(home / "workspace.db")
        self._table = ProcessTable(self.store)

    @cached_property
    def datasets(self) -> LocalDatasets:
        from services.local.datasets import LocalDatasets

        return LocalDatasets(self.home, self.store, clock=self.clock)

    @cached_property
    def runs(self) -> LocalRuns:
        from services.local.runs import LocalRuns

        return LocalRuns(self.home, self.store, clock=self.clock)

    @cached_property
    def baselines(self) -> LocalBaselines:
        return LocalBaselines(self.store, clock=self.clock)

    @cached_property
    def models(self) -> LocalModels:
        from services.local.models import LocalModels

        return LocalModels(self.home, self.store, clock=self.clock)

    @cached_property
    def evaluations(self) -> LocalEvaluations:
        return LocalEvaluations(self.home, self.store, clock=self.clock)

    @cached_property
    def deployments(self) -> LocalDeployments:
        from services.local.deployments import LocalDeployments

        return LocalDeployments(self.home, self.store, clock=self.clock)

    @cached_property
    def scoring(self) -> LocalScoring:
        from services.local.scoring import LocalScoring

        return LocalScoring(self.home, self.store, clock=self.clock)

    @cached_property
    def rotations(self) -> LocalRotations:
        from services.local.rotations import LocalRotations

        return LocalRotations(self.store, self.deployments, self.scoring, clock=self.clock)

    @cached_property
    def scored(self) -> LocalScoredRequests:
        from services.local.scored_requests import LocalScoredRequests

        return LocalScoredRequests(self.store)

    @cached_property
    def golden(self) -> LocalGoldenGate:
        from services.local.golden_gate import LocalGoldenGate

        return LocalGoldenGate(self.store, self.deployments)

    @cached_property
    def telemetry(self) -> LocalTelemetry:
        from services.local.telemetry import LocalTelemetry

        return LocalTelemetry(self.home, self.store, clock=self.clock)

    @cached_property
    def load_tests(self) -> LocalLoadTests:
        from services.local.load_tests import LocalLoadTests

        return LocalLoadTests(self.home, self.store, clock=self.clock)

    @cached_property
    def load_test_rules(self) -> LocalLoadTestRules:
        from services.local.load_test_rules import LocalLoadTestRules

        return LocalLoadTestRules(self.store)

    @cached_property
    def capacity(self) -> LocalCapacitySearches:
        from services.local.capacity import LocalCapacitySearches

        return LocalCapacitySearches(self.home, self.store, self.deployments, clock=self.clock)

    @cached_property
    def pipelines(self) -> LocalPipelines:
        from services.local.pipelines import LocalPipelines

        return LocalPipelines(self.home, self.store, clock=self.clock)

    @cached_property
    def schedules(self) -> LocalSchedules:
        from services.local.schedules import LocalSchedules

        return LocalSchedules(self.home, self.store, clock=self.clock)

    @cached_property
    def audit(self) -> LocalAuditLog:
        return LocalAuditLog(self.store)

    @cached_property
    def log_archive(self) -> LocalLogArchives:
        from services.local.log_archives import LocalLogArchives

        return LocalLogArchives(self.store, clock=self.clock)

    @cached_property
    def alerts(self) -> LocalAlerts:
        from services.local.alerts import LocalAlerts

        return LocalAlerts(self.home, self.store, clock=self.clock)

    @cached_property
    def bands(self) -> LocalMetricBands:
        from services.local.bands import LocalMetricBands

        return LocalMetricBands(self.home, self.store, clock=self.clock)

    @cached_property
    def probes(self) -> LocalProbes:
        from services.local.probes import LocalProbes

        return LocalProbes(self.deployments, self.store, clock=self.clock)

    @cached_property
    def retraining(self) -> LocalRetrainingLoop:
        from services.local.retraining_loop import LocalRetrainingLoop

        return LocalRetrainingLoop(self.home, self.store, clock=self.clock)

    @cached_property
    def flow(self) -> LocalFlow:
        from services.local.flow import LocalFlow

        return LocalFlow(self.home, self.store, clock=self.clock)

    def components(self) -> tuple[Component, ...]:
        supervisor = self._table.supervisor()
        telemetry = self._table.server("telemetry", "telemetry server", supervisor)
        return supervisor, telemetry, self._kept()

    def _kept(self) -> Component:
        """The store answers, or this raises; beside that, what the last look at all of it found."""
        with self.store.reading() as db:
            (migration,) = db.execute("SELECT max(name) FROM migrations").fetchone()
        checked = soundness.last(self.store.path)
        if checked is not None and checked.problem:
            return Component(
                name="store",
                state=ComponentState.FAILED,
                detail=checked.problem,
                since=checked.since,
            )
        size_mb = self.store.path.stat().st_size / 1e6
        looked = f" Looked for damage at {checked.at:%Y-%m-%d %H:%M} UTC." if checked else ""
        return Component(
            name="store",
            state=ComponentState.RUNNING,
            detail=f"One SQLite file of {size_mb:.1f} MB, at migration {migration}.{looked}",
        )


def open_workspace(home: Path) -> LocalWorkspace:
    """Open the workspace in `home`, creating it if there is none.

    Raises:
        OperationFailedError: its file is damaged or newer than this version.
        UnavailableError: the folder cannot be used.
    """
    return LocalWorkspace(home.expanduser().resolve())
