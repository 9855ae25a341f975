"""The files of a registered model, as a server finds them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services import data_contract
from services.domain import DataContract
from services.errors import InvalidRequestError
from services.local import score_script

MODEL = "model.pkl"
CONTRACT = "contract.json"
SAMPLE = "sample_rows.json"
SCRIPTS = ("score.py", score_script.SCRIPT)


def scorable(folder: Path) -> bool:
    """Whether rows can be checked and scored without a scoring script."""
    return (folder / MODEL).is_file() and (folder / CONTRACT).is_file()


def script(folder: Path) -> Path | None:
    """The scoring script in `folder`, if there is one."""
    return next((folder / name for name in SCRIPTS if (folder / name).is_file()), None)


def read_contract(folder: Path) -> DataContract:
    """The features of the model.

    Raises:
        InvalidRequestError: the file is not a contract.
    """
    return data_contract.from_json((folder / CONTRACT).read_text(encoding="utf-8"))


def read_sample(folder: Path, contract: DataContract) -> list[Mapping[str, Any]]:
    """The sample rows as the contract takes them; those it refuses are left out."""
    path = folder / SAMPLE
    if not path.exists():
        return []
    checker = data_contract.RowChecker(contract)
    rows: list[Mapping[str, Any]] = []
    for row in json.loads(path.read_text(encoding="utf-8")):
        try:
            rows.append(checker.conform(row))
        except InvalidRequestError:
            continue
    return rows


def read_estimator(folder: Path) -> Any:
    """The fitted estimator, told to stay on one thread.

    OpenMP's default is a thread per core, which wait for each other longer than they work.
    """
    with (folder / MODEL).open("rb") as file:
        estimator = pickle.load(file)
    _stay_on_one_thread(estimator)
    return estimator


def _stay_on_one_thread(estimator: Any) -> None:
    inner = [step for _, step in getattr(estimator, "steps", ())]
    inner += list(getattr(estimator, "estimators_", ()))
    inner.append(getattr(estimator, "final_estimator_", None))
    for each in inner:
        if hasattr(each, "get_params"):
            _stay_on_one_thread(each)
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = 1
