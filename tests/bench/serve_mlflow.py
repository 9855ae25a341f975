"""Serves a pickled model as ``mlflow models serve`` does: ``MODEL_FOLDER PLACE PORT``.

Runs in MLflow's own environment and imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path

import mlflow
import pandas as pd


def main(folder: str, place: str, port: str) -> None:
    model = pickle.loads((Path(folder) / "model.pkl").read_bytes())
    rows = pd.DataFrame(json.loads((Path(folder) / "sample_rows.json").read_text()))
    signature = mlflow.models.infer_signature(rows, model.predict(rows))
    saved = Path(place) / "mlflow-model"
    mlflow.sklearn.save_model(model, saved, signature=signature, serialization_format="cloudpickle")
    arguments = ["models", "serve", "-m", str(saved), "-h", "127.0.0.1", "-p", port]
    command = [sys.executable, "-m", "mlflow", *arguments, "--env-manager", "local", "-w", "1"]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main(*sys.argv[1:])
