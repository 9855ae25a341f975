"""What the dashboard keeps on this machine for a workspace that lives elsewhere."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from services.domain import Evaluation, EvaluationPlan, FlowProgress
from services.errors import InvalidRequestError, NotFoundError
from services.local.alerts import LocalAlerts
from services.local.audit import LocalAuditLog
from services.local.bands import LocalMetricBands
from services.local.baselines import LocalBaselines
from services.local.capacity import LocalCapacitySearches
from services.local.desk_passages import DeskPassages
from services.local.desk_pauses import DeskPauses
from services.local.desk_retries import DeskRetries
from services.local.desk_schedule_changes import DeskScheduleChanges
from services.local.golden_gate import LocalGoldenGate
from services.local.load_test_rules import LocalLoadTestRules
from services.local.load_tests import LocalLoadTests
from services.local.log_archives import LocalLogArchives
from services.local.probes import LocalProbes
from services.local.retraining_loop import LocalRetrainingLoop
from services.local.rotations import LocalRotations
from services.local.scored_requests import LocalScoredRequests
from services.local.store import Store
from services.ports import Deployments, Evaluations, Flow, Pipelines, Scoring


class LocalDesk:
    """Everything Azure has no place for, of one workspace, in the store of another."""

    def __init__(self, home: Path, store: Store, *, workspace: str) -> None:
        """
        Args:
            workspace: which one; tells apart what is kept for several.
        """
        self._home, self._store, self._workspace = home, store, workspace

    @property
    def workspace(self) -> str:
        return self._workspace

    @property
    def journal(self) -> LocalAuditLog:
        return self.audit

    @cached_property
    def audit(self) -> LocalAuditLog:
        return LocalAuditLog(self._store, workspace=self._workspace)

    @cached_property
    def baselines(self) -> LocalBaselines:
        return LocalBaselines(self._store, workspace=self._workspace)

    @cached_property
    def passages(self) -> DeskPassages:
        return DeskPassages(self._store, self._workspace)

    @cached_property
    def pauses(self) -> DeskPauses:
        return DeskPauses(self._store, self._workspace)

    @cached_property
    def schedule_changes(self) -> DeskScheduleChanges:
        return DeskScheduleChanges(self._store, self._workspace)

    @cached_property
    def retries(self) -> DeskRetries:
        return DeskRetries(self._store, self._workspace)

    @cached_property
    def evaluations(self) -> Evaluations:
        return NoEvaluations()

    @cached_property
    def scored(self) -> LocalScoredRequests:
        return LocalScoredRequests(self._store, workspace=self._workspace)

    @cached_property
    def golden(self) -> LocalGoldenGate:
        return LocalGoldenGate(self._store, workspace=self._workspace)

    @cached_property
    def load_test_rules(self) -> LocalLoadTestRules:
        return LocalLoadTestRules(self._store, workspace=self._workspace)

    @cached_property
    def log_archive(self) -> LocalLogArchives:
        return LocalLogArchives(self._store, workspace=self._workspace)

    @cached_property
    def alerts(self) -> LocalAlerts:
        return LocalAlerts(self._home, self._store, workspace=self._workspace)

    @cached_property
    def bands(self) -> LocalMetricBands:
        return LocalMetricBands(self._home, self._store, workspace=self._workspace)

    def probes(self, deployments: Deployments) -> LocalProbes:
        return LocalProbes(deployments, self._store, workspace=self._workspace)

    @cached_property
    def flow(self) -> Flow:
        return NoFlow()

    def retraining(self, pipelines: Pipelines) -> LocalRetrainingLoop:
        return LocalRetrainingLoop(
            self._home, self._store, workspace=self._workspace, pipelines=pipelines
        )

    def rotations(self, deployments: Deployments, scoring: Scoring) -> LocalRotations:
        return LocalRotations(self._store, deployments, scoring, workspace=self._workspace)

    def load_tests(self, deployments: Deployments) -> LocalLoadTests:
        return LocalLoadTests(
            self._home, self._store, workspace=self._workspace, deployments=deployments
        )

    def capacity(self, deployments: Deployments) -> LocalCapacitySearches:
        return LocalCapacitySearches(
            self._home, self._store, deployments, workspace=self._workspace
        )


class NoEvaluations(Evaluations):
    """Models on Azure are not brought to this machine to be run."""

    def list(self) -> tuple[Evaluation, ...]:
        return ()

    def get(self, evaluation_id: str) -> Evaluation:
        raise NotFoundError("evaluation", evaluation_id)

    def begin(self, plan: EvaluationPlan) -> Evaluation:
        raise InvalidRequestError(
            "Predictions are looked at in a local workspace only: the models of this one stay on "
            "Azure. Compare the metrics their runs logged instead."
        )


class NoFlow(Flow):
    """The demonstration trains and deploys at will: on somebody's cloud it is not offered."""

    def progress(self) -> FlowProgress:
        return FlowProgress(steps=(), started_at=None, ended_at=None)

    def begin(self) -> FlowProgress:
        raise InvalidRequestError(
            "The whole flow runs on a local workspace only: it would train and deploy on Azure, "
            "at your cost. Open a local workspace to see it."
        )
