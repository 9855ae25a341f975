"""Models that can really be judged: trained in milliseconds on rows made up here.

evaluations.dataset(workspace, seed=1)                # bank:1, 1,200 rows
champion = evaluations.model(workspace)               # trained on bank:1
worse = evaluations.model(workspace, noise=0.95)
evaluations.answered(workspace, EvaluationPlan(model_id=worse, against=champion))
"""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd

from services import data_contract
from services.domain import Dataset, Evaluation, EvaluationPlan, split_id
from services.errors import ServiceError
from services.local import evaluations, held_out
from services.local.evaluating import Evaluator
from services.local.held_out import HeldOut
from services.local.workspace import LocalWorkspace
from tests.recorded import datasets, runs

ROWS = 1_200


def rows(seed: int, count: int = ROWS) -> pd.DataFrame:
    """Callers whose answer depends on `rate` alone."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": draw.integers(18, 90, count),
            "job": draw.choice(["admin.", "services", "retired"], count),
            "rate": draw.normal(size=count).round(6),
        }
    )
    frame["y"] = np.where(frame["rate"] + draw.normal(scale=0.7, size=count) > 0.8, "yes", "no")
    return frame


def dataset(workspace: LocalWorkspace, frame: pd.DataFrame, name: str = "bank") -> Dataset:
    """The next version of `name`, holding these rows."""
    return datasets.register(workspace, name, frame.to_csv(index=False))


def model(
    workspace: LocalWorkspace,
    *,
    noise: float = 0.0,
    dataset_id: str = "bank:1",
    held: bool = True,
    name: str = "bank-marketing",
) -> str:
    """A model trained on the dataset, `noise` of it useless, registered as the next version."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    of, version = split_id("dataset", dataset_id)
    frame = workspace.datasets.frame(of, version)
    features, truth = frame.drop(columns="y"), frame["y"].to_numpy()
    draw = np.random.default_rng(0)
    flipped = np.where(draw.random(len(truth)) < noise, draw.permutation(truth), truth)
    encode = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
    pipeline = Pipeline([("encode", encode), ("model", LogisticRegression(max_iter=1000))])
    pipeline.fit(features, flipped)
    contract = workspace.datasets.contract(of, version, label="y")
    parent = runs.automl(
        workspace.home, workspace.store, dataset_id=dataset_id, contract=contract,
        candidates=runs.CANDIDATES[:1],
    )  # fmt: skip
    child = workspace.runs.get(parent).best_child_id
    folder = workspace.home / "runs" / child / "outputs"
    (folder / "model.pkl").write_bytes(pickle.dumps(pipeline))
    (folder / "contract.json").write_text(data_contract.to_json(contract))
    if held:
        places = np.arange(0, ROWS, 2)
        answers = pipeline.predict_proba(features.iloc[places])
        found = HeldOut(places=places, predictions=answers, labels=("no", "yes"))
        (folder / held_out.FILE).write_bytes(held_out.packed(found))
    return workspace.models.register(child, name).id


def answered(workspace: LocalWorkspace, plan: EvaluationPlan) -> Evaluation:
    """Ask, and let the answer be found here instead of in a process of its own."""
    begun = workspace.evaluations.begin(plan)
    evaluations.start(workspace.store, begun.id)
    try:
        result = Evaluator(workspace.home, workspace.store).answer(plan)
        evaluations.finish(workspace.store, begun.id, result=result)
    except ServiceError as error:
        evaluations.finish(workspace.store, begun.id, error=str(error))
    return workspace.evaluations.get(begun.id)
