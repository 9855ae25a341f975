"""What an XGBoost estimator holds, read from the JSON it saves itself as."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.local.serving import tree_text
from services.local.serving.feature_encoding import UnsupportedModelError

_LINKS = {
    "binary:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    trees: Sequence[tree_text.Tree]
    output_count: int
    base: Sequence[float]  # added to the sum of each output, before the link
    link: str


def read(estimator: Any) -> SavedModel:
    """The trees of a fitted ``XGBClassifier`` or ``XGBRegressor``.

    Raises:
        UnsupportedModelError: it is no plain booster of trees with one of the links above.
    """
    learner = json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"]
    booster, objective = learner["gradient_booster"], learner["objective"]["name"]
    if booster["name"] != "gbtree" or objective not in _LINKS:
        raise UnsupportedModelError(f"XGBoost’s {booster['name']} with {objective}")
    parameters = learner["learner_model_param"]
    outputs = max(int(parameters["num_class"]), 1)
    rounds = _rounds(estimator)
    trees = booster["model"]["trees"]
    if int(booster["model"]["gbtree_model_param"]["num_parallel_tree"]) > 1:
        raise UnsupportedModelError("XGBoost’s random forests")
    used = trees if rounds is None else trees[: rounds * outputs]
    try:
        return SavedModel(
            trees=[tree_text.from_xgboost(tree) for tree in used],
            output_count=outputs,
            base=_base(parameters["base_score"], _LINKS[objective]),
            link=_LINKS[objective],
        )
    except ValueError as error:
        raise UnsupportedModelError(f"XGBoost: {error}") from error


def _rounds(estimator: Any) -> int | None:
    """How many rounds early stopping kept; None when it was not used."""
    try:
        return int(estimator.best_iteration) + 1
    except AttributeError:
        return None


def _base(score: str, link: str) -> list[float]:
    """The base score is kept as a prediction; the trees add to what the link makes it from."""
    scores = [float(each) for each in score.strip("[]").split(",")]
    if link == "sigmoid":
        return [math.log(each / (1.0 - each)) for each in scores]
    return [math.log(each) for each in scores] if link == "exp" else scores
