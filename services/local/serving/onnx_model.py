"""What follows the features of a fitted model, converted to ONNX.

Conversion happens once, at deploy time; serving needs only ONNX Runtime.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from services.local.serving import onnx_functions
from services.local.serving.feature_encoding import UnsupportedModelError, is_classifier

NODE_LIMIT = 300_000  # of all trees together: beyond, converting takes minutes

_TARGET = {"": 17, "ai.onnx.ml": 3}


def converted(estimator: Any, width: int) -> bytes:
    """An ONNX model that takes a float32 matrix and answers probabilities or values.

    Raises:
        UnsupportedModelError: the converters do not know a part of it, or it is too large.
    """
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    nodes = sum(part.tree_.node_count for part in _parts(estimator) if hasattr(part, "tree_"))
    if nodes > NODE_LIMIT:
        raise UnsupportedModelError(f"trees of {nodes:,} nodes, too many to convert")
    _register_boosters()
    onnx_functions.register()
    estimator = _prepared(estimator)
    options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
    try:
        model = to_onnx(
            estimator,
            initial_types=[("features", FloatTensorType([None, width]))],
            target_opset=_TARGET,
            options=options,
        )
    except Exception as error:  # converters raise whatever comes to hand
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise UnsupportedModelError(f"how to express it ({reason})") from error
    content: bytes = model.SerializeToString()
    return content


def _prepared(estimator: Any) -> Any:
    """A copy the converters accept: they want a vote's weights in an array, its output as it is."""
    prepared = copy.deepcopy(estimator)
    for part in _parts(prepared):
        if hasattr(part, "flatten_transform"):
            part.flatten_transform = False
        if isinstance(getattr(part, "weights", None), list | tuple):
            part.weights = np.asarray(part.weights, dtype=float)
    return prepared


def _parts(estimator: Any) -> Iterator[Any]:
    """An estimator and everything fitted inside it."""
    yield estimator
    inner = [step for _, step in getattr(estimator, "steps", ())]
    inner += [fitted for _, fitted, _ in getattr(estimator, "transformers_", ())]
    inner += list(np.ravel(np.asarray(getattr(estimator, "estimators_", ()), dtype=object)))
    inner.append(getattr(estimator, "final_estimator_", None))
    for each in inner:
        if hasattr(each, "get_params"):
            yield from _parts(each)


def _register_boosters() -> None:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator as shapes
    from xgboost import XGBClassifier, XGBRegressor

    of_classes = shapes.calculate_linear_classifier_output_shapes
    of_values = shapes.calculate_linear_regressor_output_shapes
    choices = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    registered = (
        (LGBMClassifier, of_classes, convert_lightgbm, choices),
        (XGBClassifier, of_classes, convert_xgboost, choices),
        (LGBMRegressor, of_values, convert_lightgbm, {"split": None}),
        (XGBRegressor, of_values, convert_xgboost, None),
    )
    for kind, shape, convert, options in registered:
        alias = f"Deployed{kind.__name__}"
        update_registered_converter(kind, alias, shape, convert, options=options, overwrite=True)
