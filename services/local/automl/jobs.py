"""What a pool process does: one fit of one candidate, from plain data to plain data."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier

from services.domain import Task
from services.local.automl import fitting
from services.local.automl.arrays import Codes, Floats, Matrix, Rows
from services.local.automl.recipes import Recipe
from services.local.automl.validation import Validation


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What every process needs once: the encoded rows and how they are dealt."""

    task: Task
    matrix: Matrix
    target: npt.NDArray[Any]  # class codes, or numbers
    classes: npt.NDArray[Any]  # labels by code; empty for regression
    category_count: int  # leading columns of the matrix that hold category codes
    validation: Validation
    seed: int


@dataclass(frozen=True, slots=True)
class Job:
    """Fit a recipe while `part` is held out, and predict that part."""

    recipe: Recipe
    part: int
    keep_as: Path | None = None  # where to leave the fitted member


@dataclass(frozen=True, slots=True)
class Done:
    predictions: Floats  # of the held part's rows, in row order; no rows when nothing is held
    fit_s: float


def save(data: TrainingData, folder: Path) -> None:
    """Write what `run` loads, in a form that processes can share."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "matrix.npy", data.matrix)
    rest = (data.task, data.target, data.classes, data.category_count, data.validation, data.seed)
    (folder / "rest.pkl").write_bytes(pickle.dumps(rest))


@lru_cache(maxsize=1)
def load(folder: Path) -> TrainingData:
    task, target, classes, category_count, validation, seed = pickle.loads(
        (folder / "rest.pkl").read_bytes()
    )
    matrix = np.load(folder / "matrix.npy", mmap_mode="r")
    return TrainingData(task, matrix, target, classes, category_count, validation, seed)


def run(folder: Path, job: Job) -> Done:
    """One fit, in a pool process or in this one."""
    data = load(folder)
    trained, held = data.validation.trained(job.part), data.validation.held(job.part)
    began = time.perf_counter()
    member, present = _fitted(data, job.recipe, trained)
    fit_s = time.perf_counter() - began
    if job.keep_as is not None:
        _keep(member, job.keep_as)
    return Done(_predicted(data, member, present, held), fit_s)


def _fitted(data: TrainingData, recipe: Recipe, rows: Rows) -> tuple[Any, Codes]:
    """The fitted member, and the class codes its training rows had."""
    target: npt.NDArray[Any] = data.target[rows]
    present: Codes = np.arange(len(data.classes))
    if data.task is Task.CLASSIFICATION:  # boosters want codes without a gap
        present = np.unique(target)
        target = np.searchsorted(present, target)
    matrix = np.asarray(data.matrix[rows])
    if data.task is Task.CLASSIFICATION and len(present) == 1:
        return DummyClassifier().fit(matrix, target), present
    count = data.category_count
    member = fitting.fit(recipe, data.task, matrix, target, category_count=count, seed=data.seed)
    return member, present


def _predicted(data: TrainingData, member: Any, present: Codes, rows: Rows) -> Floats:
    """Probabilities with a column per class, 0 for an absent one; or numbers in one column."""
    complete = np.zeros((len(rows), max(len(data.classes), 1)))
    if not len(rows):
        return complete
    matrix = np.asarray(data.matrix[rows])
    if data.task is Task.REGRESSION:
        complete[:, 0] = member.predict(matrix)
    else:
        complete[:, present] = member.predict_proba(matrix)
    return complete


def _keep(member: Any, path: Path) -> None:
    draft = path.with_suffix(".part")
    draft.write_bytes(pickle.dumps(member))
    draft.replace(path)
