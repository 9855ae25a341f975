"""Small trained models in the folder a registered model has, made once per test session."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from services import data_contract
from services.domain import DataContract
from services.local import score_script
from services.local.store import Store
from tests.recorded import deployments as recorded

ROW_COUNT = 400
ROW = {"age": 41, "job": "admin.", "balance": 1200.5, "contacted": True}


@cache
def data() -> Any:
    """400 made-up rows: ``age``, ``job``, ``balance`` with gaps, ``contacted``, label ``y``."""
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": chance.integers(18, 90, ROW_COUNT),
            "job": chance.choice(["admin.", "services", "retired", "student"], ROW_COUNT),
            "balance": np.round(chance.normal(1000, 400, ROW_COUNT), 2),
            "contacted": chance.random(ROW_COUNT) < 0.5,
        }
    )
    frame.loc[::17, "balance"] = np.nan
    odds = (frame["age"] - 50) / 12 + (frame["job"] == "student") - frame["contacted"] * 0.8
    likely = 1 / (1 + np.exp(-odds))
    frame["y"] = np.where(chance.random(ROW_COUNT) < likely, "yes", "no")
    return frame


def contract() -> DataContract:
    return data_contract.from_frame(data(), label="y")


def transformer() -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    return ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["job"]),
            ("flags", OneHotEncoder(sparse_output=False), ["contacted"]),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "balance"]),
        ]
    )


@cache
def fitted(kind: str = "logistic") -> Any:
    """``logistic``, ``trees`` or anything `estimator` knows, behind `transformer`, fitted."""
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(transformer(), estimator(kind))
    frame = data()
    return model.fit(frame.drop(columns="y"), frame["y"])


def estimator(kind: str) -> Any:
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression

    if kind == "trees":
        return LGBMClassifier(n_estimators=20, num_leaves=7, n_jobs=1, verbose=-1)
    return LogisticRegression()


def write(folder: Path, model: Any) -> Path:
    """The files of a registered model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "contract.json").write_text(data_contract.to_json(contract()), encoding="utf-8")
    rows = json.loads(data().drop(columns="y").to_json(orient="records"))
    (folder / "sample_rows.json").write_text(json.dumps(rows), encoding="utf-8")
    score_script.write_scoring_files(folder, contract())
    return folder


def register(home: Path, store: Store, model_id: str, kind: str = "logistic") -> None:
    """A registered model that can really be served."""
    name, _, version = model_id.rpartition(":")
    write(home / "models" / name / version, fitted(kind))
    recorded.model(home, store, model_id)


def payload(*rows: Mapping[str, Any], **more: Any) -> str:
    return json.dumps({"data": list(rows or (ROW,)), **more})
