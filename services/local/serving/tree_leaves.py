"""Every estimator made of trees as one text of trees and a link, for `native`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from services.local.serving import tree_text, xgboost_model
from services.local.serving.feature_encoding import UnsupportedModelError, is_classifier
from services.local.serving.matrix_steps import Flow

Leaf = tuple[str, dict[str, Any]]  # the model's text, and how its sums become an answer


def read(estimator: Any, flow: Flow) -> Leaf | None:
    """The trees of `estimator`; None when it is not made of trees.

    Raises:
        UnsupportedModelError: of trees, but in a way that has no counterpart here.
    """
    kind = type(estimator).__name__
    for beginning, reader in _READERS:
        if kind.startswith(beginning):
            try:
                return reader(estimator, flow)
            except (ValueError, AttributeError) as error:
                raise UnsupportedModelError(f"{kind}: {error}") from error
    return None


def _lightgbm(estimator: Any, flow: Flow) -> Leaf:
    text = estimator.booster_.model_to_string(num_iteration=estimator.best_iteration_ or -1)
    return text, _described(flow, link=_complement_if_binary(estimator), single=False)


def _xgboost(estimator: Any, flow: Flow) -> Leaf:
    saved = xgboost_model.read(estimator)
    text = tree_text.model_text(
        saved.trees, output_count=saved.output_count, feature_count=flow.width
    )
    return text, _described(flow, link=saved.link, offset=saved.base, zero_is_missing=flow.sparse)


def _forest(forest: Any, flow: Flow) -> Leaf:
    return _averaged(forest, forest.estimators_, flow)


def _tree(tree: Any, flow: Flow) -> Leaf:
    return _averaged(tree, [tree], flow)


def _averaged(model: Any, members: Sequence[Any], flow: Flow) -> Leaf:
    trees = list(_shares(members, is_classifier(model)))
    outputs = len(trees) // len(members)
    text = tree_text.model_text(trees, output_count=outputs, feature_count=flow.width)
    link = _complement_if_binary(model)
    return text, _described(flow, link=link, divisor=float(len(members)))


def _shares(members: Sequence[Any], classifying: bool) -> Iterator[tree_text.Tree]:
    """Each member as one tree per output, its leaves the share of that class."""
    for member in members:
        value = member.tree_.value[:, 0, :]
        if classifying:
            shares = value / value.sum(axis=1, keepdims=True)
            columns = [shares[:, 1]] if shares.shape[1] == 2 else list(shares.T)
        else:
            columns = [value[:, 0]]
        for column in columns:
            yield tree_text.from_sklearn(member.tree_, column)


def _gradient_boosting(model: Any, flow: Flow) -> Leaf:
    trees = [
        tree_text.from_sklearn(each.tree_, each.tree_.value[:, 0, 0] * model.learning_rate)
        for each in model.estimators_.ravel()
    ]
    outputs = model.estimators_.shape[1]
    text = tree_text.model_text(trees, output_count=outputs, feature_count=flow.width)
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]
    return text, _described(flow, link=_boosting_link(model, outputs), offset=start)


def _histogram_boosting(model: Any, flow: Flow) -> Leaf:
    rounds = model._predictors
    trees = [tree_text.from_histogram(each.nodes) for many in rounds for each in many]
    outputs = len(rounds[0])
    text = tree_text.model_text(trees, output_count=outputs, feature_count=flow.width)
    start = np.ravel(model._baseline_prediction)
    link = _boosting_link(model, outputs)
    return text, _described(flow, link=link, offset=start, single=False)


_READERS = (
    ("LGBM", _lightgbm),
    ("XGB", _xgboost),
    ("RandomForest", _forest),
    ("ExtraTrees", _forest),
    ("DecisionTree", _tree),
    ("ExtraTree", _tree),
    ("GradientBoosting", _gradient_boosting),
    ("HistGradientBoosting", _histogram_boosting),
)


def _described(
    flow: Flow,
    *,
    link: str,
    offset: Sequence[float] | Any = (0.0,),
    divisor: float = 1.0,
    single: bool = True,  # all but LightGBM and histograms compare in single precision
    zero_is_missing: bool = False,
) -> dict[str, Any]:
    return {
        "width": flow.width,
        "single": single and not flow.single,  # it is already
        "zero_is_missing": zero_is_missing,
        "divisor": divisor,
        "offset": [float(each) for each in offset],
        "link": link,
    }


def _complement_if_binary(model: Any) -> str:
    binary = is_classifier(model) and len(model.classes_) == 2
    return "complement" if binary else "identity"


def _boosting_link(model: Any, outputs: int) -> str:
    if is_classifier(model):
        return "sigmoid" if outputs == 1 else "softmax"
    return "exp" if model.loss in ("poisson", "gamma") else "identity"
