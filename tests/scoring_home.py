"""A workspace whose scoring servers are real, for tests that kill, ask and measure them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from services.domain import DeploymentState
from services.local import deployment_rows, processes
from services.local.process_table import ProcessTable
from services.local.workspace import LocalWorkspace, open_workspace
from tests import scoring_models

LIMIT_S = 120.0


@dataclass
class ScoringHome:
    """A workspace with a supervisor that can be ended and started again."""

    path: Path
    supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace: LocalWorkspace = open_workspace(self.path)
        self.deployments = self.workspace.deployments
        self.table = ProcessTable(self.workspace.store)

    def start(self) -> None:
        log = self.path / "logs" / "supervisor.log"
        module = "services.local.supervisor"
        self.supervisors.append(processes.spawn(module, str(self.path), "--lifeline", log=log))

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        supervisor = self.supervisors.pop()
        supervisor.send_signal(number)
        supervisor.wait(timeout=60)
        supervisor.stdin.close()

    def deploy(self, name: str, model_id: str = "bank:1", **options: object) -> str:
        self.deployments.begin_create(name, model_id, **options)
        return self.settle(name)

    def settle(self, name: str) -> str:
        self.until(lambda: self.deployments.get(name).state.settled, name)
        return name

    def until(self, condition: Callable[[], object], name: str = "") -> None:
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, self.deployments.logs(name).text if name else "late"
            time.sleep(0.05)

    def state(self, name: str) -> DeploymentState:
        return self.deployments.get(name).state

    def server(self, name: str) -> psutil.Process:
        seen = self.table.observed(deployment_rows.process_key(name))
        assert seen is not None and seen.ref is not None
        return psutil.Process(seen.ref.pid)

    def ask(self, name: str, body: object = None, *, key: str | None = None, **headers: str):
        deployment = self.deployments.get(name)
        if key is None and deployment.auth_enabled:
            key = self.deployments.keys(name).primary
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {key}", **headers}
        body = scoring_models.payload() if body is None else body
        return requests.post(deployment.scoring_uri, data=body, headers=sent, timeout=30)
