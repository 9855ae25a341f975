"""Something on every page: what a workspace in use would hold, put there in a second.

The history is recorded, the deployment is real: the supervisor starts its server.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.local import score_script
from services.local.workspace import LocalWorkspace
from tests.recorded import datasets, pipelines, runs, telemetry

DEPLOYMENT = "bank"


def fill(workspace: LocalWorkspace) -> None:
    """Called before the supervisor runs, which would find half of it otherwise."""
    if workspace.datasets.list():
        return  # it was filled another day
    home, store, now = workspace.home, workspace.store, datetime.now(UTC)
    dataset = datasets.people(workspace, "bankmarketing", row_count=400)
    contract = workspace.datasets.contract(dataset.name, dataset.version, label="y")
    run_id = runs.automl(
        home,
        store,
        dataset_id=dataset.id,
        contract=contract,
        model=True,
        started=now - timedelta(hours=3),
    )
    for child in workspace.runs.children(run_id):  # each can be deployed, as AutoML leaves them
        outputs = home / "runs" / child.id / "outputs"
        if (outputs / "model.pkl").exists():
            score_script.write_scoring_files(outputs, contract)
    runs.failed(home, store, started=now - timedelta(hours=5))
    model = workspace.models.register(run_id, "bank-marketing")
    pipelines.retraining(home, store, days=5, failed=(2,), now=now)
    workspace.deployments.begin_create(
        DEPLOYMENT, model.id, telemetry=True, description="Who subscribes to a term deposit"
    )
    telemetry.traffic(home, count=2_000, end=now, deployments=(DEPLOYMENT,))
