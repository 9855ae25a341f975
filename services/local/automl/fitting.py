"""Fitting one candidate on a matrix, and what its fitted parts are made of.

Everything runs on one thread: candidates and folds run side by side instead, which on a
busy machine is several times faster than threads inside a learner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from services.domain import Task
from services.local.automl.arrays import Matrix
from services.local.automl.recipes import MAX_ABS, Recipe


def fit(
    recipe: Recipe,
    task: Task,
    matrix: Matrix,
    target: npt.NDArray[Any],
    *,
    category_count: int,
    seed: int,
) -> Pipeline:
    """The recipe fitted to these rows: a preprocessor, then the learner.

    Args:
        category_count: how many leading columns of the matrix hold category codes.
        target: what to predict; for classification any labels the learner accepts.
    """
    learner = _learner(recipe, task, seed)
    if recipe.learner == "ElasticNet":  # its penalty is in the unit of the target
        learner.alpha *= float(np.std(target)) or 1.0
    preprocessor = _preprocessor(recipe, matrix, category_count)
    learner.fit(preprocessor.transform(matrix), target)
    return Pipeline([(recipe.preprocessor, preprocessor), (recipe.algorithm(task), learner)])


def _preprocessor(recipe: Recipe, matrix: Matrix, category_count: int) -> Any:
    if recipe.learner in ("LogisticRegression", "ElasticNet"):
        return _for_linear(recipe, matrix.shape[1], category_count).fit(matrix)
    if recipe.preprocessor == MAX_ABS:
        scaler = MaxAbsScaler().fit(matrix)
    else:  # as Azure AutoML's wrapper does by default, without moving the mean
        scaler = StandardScaler(with_mean=False).fit(matrix)
    # A power of two divides float32 without rounding, so a threshold learnt here falls on
    # the same side of every value wherever the model is evaluated, ONNX included.
    scaler.scale_ = np.exp2(np.ceil(np.log2(scaler.scale_)))
    return scaler


def _for_linear(recipe: Recipe, width: int, category_count: int) -> ColumnTransformer:
    scaler = MaxAbsScaler() if recipe.preprocessor == MAX_ABS else StandardScaler()
    numbers = Pipeline([("fill", SimpleImputer()), (recipe.preprocessor, scaler)])
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts: list[tuple[str, Any, Sequence[int]]] = [
        ("categories", categories, range(category_count)),
        ("numbers", numbers, range(category_count, width)),
    ]
    return ColumnTransformer([(name, part, list(at)) for name, part, at in parts if len(at)])


def _learner(recipe: Recipe, task: Task, seed: int) -> Any:
    build = _BUILDERS[recipe.learner]
    return build(task is Task.CLASSIFICATION, dict(recipe.parameters), seed)


def _lightgbm(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if classify else LGBMRegressor
    return kind(
        **parameters,
        subsample_freq=1,
        random_state=seed,
        n_jobs=1,
        verbosity=-1,
        force_col_wise=True,
    )


def _xgboost(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    kind = XGBClassifier if classify else XGBRegressor
    return kind(
        **parameters,
        tree_method="hist",
        grow_policy="lossguide",
        max_depth=0,
        random_state=seed,
        n_jobs=1,
    )


def _gradient_boosting(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    return kind(**parameters, early_stopping=False, random_state=seed)


def _extra_trees(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if classify else ExtraTreesRegressor
    return kind(**parameters, random_state=seed, n_jobs=1)


def _random_forest(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if classify else RandomForestRegressor
    return kind(**parameters, random_state=seed, n_jobs=1)


def _logistic(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**parameters, max_iter=500, random_state=seed)


def _elastic_net(classify: bool, parameters: dict[str, Any], seed: int) -> Any:
    from sklearn.linear_model import ElasticNet

    return ElasticNet(**parameters, max_iter=5000, random_state=seed)


_BUILDERS = {
    "LightGBM": _lightgbm,
    "XGBoost": _xgboost,
    "GradientBoosting": _gradient_boosting,
    "ExtremeRandomTrees": _extra_trees,
    "RandomForest": _random_forest,
    "LogisticRegression": _logistic,
    "ElasticNet": _elastic_net,
}
