"""Every kind of background work of a local workspace."""

from __future__ import annotations

from pathlib import Path

from services.local.capacity_duty import CapacityDuty
from services.local.deployment_duty import DeploymentDuty
from services.local.duty import Duty
from services.local.evaluation_duty import EvaluationDuty
from services.local.flow_duty import FlowDuty
from services.local.load_test_duty import LoadTestDuty
from services.local.pipeline_duty import PipelineDuty
from services.local.retrain_duty import RetrainDuty
from services.local.run_duty import RunDuty
from services.local.store import Store
from services.local.telemetry_duty import TelemetryDuty
from services.local.watch_duty import WatchDuty


def duties(home: Path, store: Store) -> tuple[Duty, ...]:
    """One of each; telemetry first, since the others report to it."""
    return (
        TelemetryDuty(home, store),
        DeploymentDuty(home, store),
        RunDuty(home, store),
        LoadTestDuty(home, store),
        CapacityDuty(home, store),
        PipelineDuty(home, store),
        EvaluationDuty(home, store),
        RetrainDuty(home, store),
        FlowDuty(home, store),
        WatchDuty(home, store),
    )
