"""The candidates: which learner, behind which preprocessor, with which parameters.

A recipe is plain data, named as Azure AutoML names its iterations. The portfolio holds
starting points that did well on several data sets; the space around them is what the
sampler explores afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.domain import Task

BOOSTED = ("LightGBM", "XGBoost", "GradientBoosting")

MAX_ABS, STANDARD = "MaxAbsScaler", "StandardScalerWrapper"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything needed to fit one candidate. Hashable by `key`, so none is tried twice."""

    learner: str  # "LightGBM": the family, whatever the task
    preprocessor: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def algorithm(self, task: Task) -> str:
        """The learner's name as Azure AutoML spells it for this task."""
        if self.learner == "XGBoost":
            return "XGBoostClassifier" if task is Task.CLASSIFICATION else "XGBoostRegressor"
        return self.learner

    def name(self, task: Task) -> str:
        return f"{self.preprocessor}, {self.algorithm(task)}"

    @property
    def key(self) -> tuple[Any, ...]:
        return self.learner, self.preprocessor, tuple(sorted(self.parameters.items()))


def learners(task: Task, *, onnx: bool) -> tuple[str, ...]:
    """What a search chooses from; only what ONNX can express when that is asked for.

    skl2onnx 1.20 cannot write scikit-learn's histogram gradient boosting for onnx 1.23.
    """
    linear = "LogisticRegression" if task is Task.CLASSIFICATION else "ElasticNet"
    boosted = BOOSTED if not onnx else tuple(each for each in BOOSTED if each != "GradientBoosting")
    return (*boosted, linear, "ExtremeRandomTrees", "RandomForest")


def suggested(trial: Any, learner: str) -> Recipe:
    """The recipe of this learner that an Optuna trial stands for."""
    preprocessor = trial.suggest_categorical("preprocessor", (MAX_ABS, STANDARD))
    return Recipe(learner, preprocessor, _SPACES[learner](_Asking(trial)))


def fixed_parameters(recipe: Recipe) -> dict[str, Any]:
    """The recipe as the parameters of a trial that would suggest it."""
    found = dict(recipe.parameters)
    for name, rounds in _ROUNDS.items():
        if name in found and "learning_rate" in found:
            found[rounds] = found.pop(name) * found["learning_rate"]
    return {"preprocessor": recipe.preprocessor, **found}


class _Asking:
    """An Optuna trial, asked in few words. Whole numbers are spread evenly by ratio."""

    def __init__(self, trial: Any) -> None:
        self._trial = trial

    def integer(self, name: str, low: int, high: int) -> int:
        found: int = self._trial.suggest_int(name, low, high, log=True)
        return found

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        found: float = self._trial.suggest_float(name, low, high, log=log)
        return found

    def rounds(self, name: str) -> dict[str, Any]:
        """Learning rate and number of trees. Their product says how far boosting goes, so
        it is searched in place of the number."""
        rate = self.number("learning_rate", 0.015, 0.15, log=True)
        depth = self.number(_ROUNDS[name], 2.5, 15.0, log=True)
        return {name: max(20, round(depth / rate)), "learning_rate": rate}


_ROUNDS = {"n_estimators": "rate_times_trees", "max_iter": "rate_times_trees"}


def _lightgbm(trial: _Asking) -> dict[str, Any]:
    return {
        **trial.rounds("n_estimators"),
        "num_leaves": trial.integer("num_leaves", 4, 64),
        "min_child_samples": trial.integer("min_child_samples", 4, 100),
        **_shared_shape(trial),
    }


def _xgboost(trial: _Asking) -> dict[str, Any]:
    return {
        **trial.rounds("n_estimators"),
        "max_leaves": trial.integer("max_leaves", 4, 64),
        "min_child_weight": trial.number("min_child_weight", 0.3, 10.0, log=True),
        **_shared_shape(trial),
    }


def _shared_shape(trial: _Asking) -> dict[str, Any]:
    return {
        "subsample": trial.number("subsample", 0.6, 1.0),
        "colsample_bytree": trial.number("colsample_bytree", 0.4, 1.0),
        "reg_lambda": trial.number("reg_lambda", 0.01, 10.0, log=True),
    }


def _gradient_boosting(trial: _Asking) -> dict[str, Any]:
    return {
        **trial.rounds("max_iter"),
        "max_leaf_nodes": trial.integer("max_leaf_nodes", 4, 64),
        "min_samples_leaf": trial.integer("min_samples_leaf", 4, 100),
        "max_features": trial.number("max_features", 0.4, 1.0),
        "l2_regularization": trial.number("l2_regularization", 0.01, 10.0, log=True),
    }


def _forest(trial: _Asking) -> dict[str, Any]:
    return {
        "n_estimators": trial.integer("n_estimators", 25, 80),
        "min_samples_leaf": trial.integer("min_samples_leaf", 2, 30),
        "max_features": trial.number("max_features", 0.3, 0.9),
    }


def _logistic(trial: _Asking) -> dict[str, Any]:
    return {"C": trial.number("C", 0.01, 100.0, log=True)}


def _elastic_net(trial: _Asking) -> dict[str, Any]:
    return {
        "alpha": trial.number("alpha", 1e-5, 1.0, log=True),
        "l1_ratio": trial.number("l1_ratio", 0.05, 0.95),
    }


_SPACES: Mapping[str, Callable[[_Asking], dict[str, Any]]] = {
    "LightGBM": _lightgbm,
    "XGBoost": _xgboost,
    "GradientBoosting": _gradient_boosting,
    "ExtremeRandomTrees": _forest,
    "RandomForest": _forest,
    "LogisticRegression": _logistic,
    "ElasticNet": _elastic_net,
}


def portfolio(task: Task, *, onnx: bool) -> Sequence[Recipe]:
    """Where every search starts: the best first, then what differs most from it."""
    allowed = learners(task, onnx=onnx)
    return [recipe for recipe in _PORTFOLIO if recipe.learner in allowed]


def _lgbm(preprocessor: str, *shape: float) -> Recipe:
    return Recipe("LightGBM", preprocessor, dict(zip(_LIGHTGBM_NAMES, shape, strict=True)))


def _xgb(preprocessor: str, *shape: float) -> Recipe:
    return Recipe("XGBoost", preprocessor, dict(zip(_XGBOOST_NAMES, shape, strict=True)))


def _trees(learner: str, count: int, at_least: int, features: float) -> Recipe:
    shape = {"n_estimators": count, "min_samples_leaf": at_least, "max_features": features}
    return Recipe(learner, MAX_ABS, shape)


_SHARED = ("subsample", "colsample_bytree", "reg_lambda")
_LIGHTGBM_NAMES = ("n_estimators", "learning_rate", "num_leaves", "min_child_samples", *_SHARED)
_XGBOOST_NAMES = ("n_estimators", "learning_rate", "max_leaves", "min_child_weight", *_SHARED)
_HISTOGRAM = {
    "max_iter": 150,
    "learning_rate": 0.05,
    "max_leaf_nodes": 24,
    "min_samples_leaf": 30,
    "max_features": 0.6,
    "l2_regularization": 2.0,
}

_PORTFOLIO = (
    _lgbm(MAX_ABS, 130, 0.035, 30, 12, 0.85, 0.85, 0.05),
    _xgb(MAX_ABS, 130, 0.04, 40, 0.5, 0.85, 0.85, 1.0),
    Recipe("LogisticRegression", STANDARD, {"C": 1.0}),
    Recipe("ElasticNet", STANDARD, {"alpha": 0.001, "l1_ratio": 0.5}),
    _lgbm(STANDARD, 200, 0.032, 32, 32, 0.8, 0.85, 0.03),
    Recipe("GradientBoosting", MAX_ABS, _HISTOGRAM),
    _xgb(STANDARD, 180, 0.03, 56, 0.5, 0.8, 0.75, 2.0),
    _lgbm(MAX_ABS, 110, 0.11, 20, 13, 0.85, 0.85, 1.0),
    _trees("ExtremeRandomTrees", 40, 10, 0.7),
    _lgbm(STANDARD, 250, 0.02, 48, 20, 0.8, 0.9, 0.1),
    _xgb(MAX_ABS, 120, 0.07, 22, 0.6, 0.75, 0.95, 4.0),
    _trees("RandomForest", 40, 10, 0.4),
)
