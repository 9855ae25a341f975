"""A deployment that answers, for the contracts of what is done with one."""

from __future__ import annotations

import time

from services import data_contract
from services.domain import DeploymentState
from services.local import score_script
from services.local.workspace import LocalWorkspace
from services.ports import Workspace
from tests.recorded import runs

NAME = "contract-served"
LIMIT_S = 120.0


def healthy(workspace: Workspace, engine: LocalWorkspace) -> str:
    """The name of a healthy deployment; the model behind it is put there through `engine`."""
    _deploy(workspace, engine)
    deadline = time.monotonic() + LIMIT_S
    while True:
        deployment = workspace.deployments.get(NAME)
        if deployment.state is DeploymentState.HEALTHY:
            return NAME
        log = workspace.deployments.logs(NAME, line_limit=30).text
        late = time.monotonic() > deadline or deployment.state is DeploymentState.FAILED
        assert not late, f"{deployment} {log}"
        time.sleep(0.1)


def _deploy(workspace: Workspace, engine: LocalWorkspace) -> None:
    run_id = runs.automl(engine.home, engine.store, model=True)
    best = engine.runs.get(run_id).best_child_id
    assert best is not None
    outputs = engine.home / "runs" / best / "outputs"
    contract = data_contract.from_json((outputs / "contract.json").read_text(encoding="utf-8"))
    score_script.write_scoring_files(outputs, contract)  # as every run that trained leaves them
    model = engine.models.register(best, NAME)
    workspace.deployments.begin_create(NAME, model.id)
