"""The final estimators: what is pickled as ``model.pkl``.

Two steps, as Azure AutoML builds them: ``datatransformer`` turns raw rows into the float32
matrix, ``model`` predicts from it. Classifiers answer the label's own values through a
voting or stacking classifier of already fitted members; a single candidate is a vote of
one. Only classes of scikit-learn, LightGBM and XGBoost are inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from services.domain import Task

Members = Sequence[tuple[str, Any]]  # name → fitted on the matrix and the class codes
Classes = npt.NDArray[Any]


def whole(transformer: Pipeline, model: Any) -> Pipeline:
    """Raw rows in, predictions out."""
    return Pipeline([("datatransformer", transformer), ("model", model)])


def single(member: Any, task: Task, classes: Classes) -> Any:
    if task is Task.REGRESSION:
        return member
    return voting([("member", member)], [1.0], task, classes)


def voting(members: Members, weights: Sequence[float], task: Task, classes: Classes) -> Any:
    """Members whose answers are averaged by weight; probabilities for a classifier."""
    shares = np.asarray(weights, dtype=float)
    if task is Task.REGRESSION:
        return _with_members(VotingRegressor(list(members), weights=shares), members)
    # skl2onnx 1.20 converts neither the default of `flatten_transform` nor listed weights.
    model = VotingClassifier(list(members), voting="soft", weights=shares, flatten_transform=False)
    model.le_ = LabelEncoder().fit(classes)
    model.classes_ = model.le_.classes_
    return _with_members(model, members)


def stacking(members: Members, final: Any, task: Task, classes: Classes) -> Any:
    """Members whose answers are the input of `final`, fitted on out-of-fold answers."""
    if task is Task.REGRESSION:
        model = StackingRegressor(list(members), final_estimator=final, cv="prefit")
        model.stack_method_ = ["predict"] * len(members)
    else:
        model = StackingClassifier(list(members), final_estimator=final, cv="prefit")
        model.stack_method_ = ["predict_proba"] * len(members)
        model._label_encoder = LabelEncoder().fit(classes)
        model.classes_ = model._label_encoder.classes_
    model.final_estimator_ = final
    return _with_members(model, members)


def _with_members(model: Any, members: Members) -> Any:
    """What fitting would have set, without fitting the members again."""
    model.estimators_ = [member for _, member in members]
    model.named_estimators_ = Bunch(**dict(members))
    return model
