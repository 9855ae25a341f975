"""A deployment that answers, for the contracts of what is done with one."""

from __future__ import annotations

import time

import pytest

from services.domain import DeploymentState
from services.ports import Workspace

NAME = "contract-served"
LIMIT_S = 120.0


def healthy(workspace: Workspace) -> str:
    """The name of a healthy deployment: made here where that is quick, else one that exists."""
    if workspace.backend == "local":
        _deploy(workspace)
    deadline = time.monotonic() + LIMIT_S
    while True:
        states = {each.name: each.state for each in workspace.deployments.list()}
        for name, state in states.items():
            if state is DeploymentState.HEALTHY:
                return name
        if not states:
            pytest.skip("this workspace has no deployment")
        logs = {name: workspace.deployments.logs(name, line_limit=30).text for name in states}
        assert time.monotonic() < deadline, f"{states} {logs}"
        time.sleep(0.1)


def _deploy(workspace: Workspace) -> None:
    from services.local.workspace import LocalWorkspace
    from tests.recorded import runs

    assert isinstance(workspace, LocalWorkspace)
    run_id = runs.automl(workspace.home, workspace.store, model=True)
    best = workspace.runs.get(run_id).best_child_id
    assert best is not None
    model = workspace.models.register(best, NAME)
    workspace.deployments.begin_create(NAME, model.id)
