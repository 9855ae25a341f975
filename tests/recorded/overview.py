"""A workspace with something at every step of the flow, in the state a test wants it.

overview.supervised(store)                    # somebody seems to keep it running
overview.deployment(store, "bank")            # Healthy: this process plays its server
overview.deployment(store, "bank", state=DeploymentState.FAILED)
overview.filled(workspace)                    # all seven steps, seen as of now
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from services.domain import DeploymentState
from services.local import processes
from services.local.clock import utc_now
from services.local.duty import Program
from services.local.process_table import ProcessTable
from services.local.store import Store, stamp
from services.local.supervised import Probe
from services.local.workspace import LocalWorkspace
from tests.recorded import datasets, load_tests, pipelines, runs


def supervised(store: Store) -> None:
    """This process stands in for the supervisor and the telemetry server it keeps."""
    ProcessTable(store).supervised_by(processes.reference(os.getpid()), utc_now())
    _observed(store, "telemetry", ended=False)


def deployment(
    store: Store,
    name: str = "bank",
    *,
    state: DeploymentState = DeploymentState.HEALTHY,
    model_id: str = "bank-marketing:1",
    telemetry: bool = False,
    at: datetime | None = None,
    error: str = "",
) -> None:
    """A deployment in any state but Unknown. Its server is this process, or nobody."""
    since = stamp(at or utc_now())
    us = processes.reference(os.getpid())
    assert us is not None
    serving = state is not DeploymentState.TRANSITIONING
    failed_at = since if state is DeploymentState.FAILED else None
    values = {
        "name": name, "incarnation": "recorded", "model_id": model_id, "auth_enabled": 1,
        "telemetry_enabled": int(telemetry), "cpu_cores": 1.0, "memory_gb": 1.0,
        "primary_key": "recorded-primary", "secondary_key": "recorded-secondary",
        "created_at": since, "updated_at": since, "primary_key_at": since,
        "secondary_key_at": since, "served_generation": 1 if serving else None,
        "served_at": since if serving else None, "served_pid": us.pid if serving else None,
        "served_started_at": us.started_at if serving else None,
        "failed_at": failed_at, "error": error,
    }  # fmt: skip
    with store.transaction() as db:
        db.execute(
            f"INSERT OR REPLACE INTO deployments ({', '.join(values)})"
            f" VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
    _observed(store, f"deployment/{name}", ended=state is DeploymentState.UNHEALTHY)


def _observed(store: Store, key: str, *, ended: bool) -> None:
    """What the supervisor would have seen of a server."""
    table = ProcessTable(store)
    program = Program(
        key=key,
        module="services.local.serving",
        args=(),
        log=Path("unused"),
        server=True,
        generation="recorded",
    )
    table.starting(program, utc_now())
    table.started(key, processes.reference(os.getpid()))
    table.probed([Probe(key=key, answering=True, at=utc_now())])
    if ended:
        table.exited(key, code=-9, at=utc_now(), backing_off=True)


def filled(workspace: LocalWorkspace, *, now: datetime | None = None) -> None:
    """A dataset, an AutoML run, its model, a deployment, a load test and a schedule."""
    home, store, moment = workspace.home, workspace.store, now or utc_now()
    supervised(store)
    dataset = datasets.people(workspace)
    run_id = runs.automl(home, store, dataset_id=dataset.id, started=moment - timedelta(hours=3))
    workspace.models.register(run_id, "bank-marketing")
    deployment(store, at=moment - timedelta(hours=2))
    load_tests.finished(store, at=moment - timedelta(hours=1))
    pipelines.retraining(home, store, days=2, failed=(), now=moment)
