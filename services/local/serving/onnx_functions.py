"""ONNX for the functions AutoML puts before the last step of a stack: bounds and log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np


def register() -> None:
    """Teach skl2onnx the `FunctionTransformer`s it does not know. The others stay refused."""
    from skl2onnx import update_registered_converter
    from sklearn.preprocessing import FunctionTransformer

    update_registered_converter(
        FunctionTransformer, "DeployedFunctionTransformer", _same_shape, _convert, overwrite=True
    )


def _same_shape(operator: Any) -> None:
    given = operator.inputs[0].type
    operator.outputs[0].type = type(given)(given.shape)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from scipy.special import logit

    step = operator.raw_operator
    if step.func is None:
        made = _identity(operator, container)
    elif step.func is np.clip:
        made = _bounded(operator, container, step.kw_args["a_min"], step.kw_args["a_max"])
    elif step.func is logit:
        made = _log_odds(operator, container)
    else:
        raise NotImplementedError(f"the function {step.func!r}")
    made.add_to(scope, container)


def _identity(operator: Any, container: Any) -> Any:
    from skl2onnx.algebra.onnx_ops import OnnxIdentity

    return OnnxIdentity(operator.inputs[0], **_placed(operator, container))


def _bounded(operator: Any, container: Any, least: float, most: float) -> Any:
    from skl2onnx.algebra.onnx_ops import OnnxClip

    bounds = [np.array(each, dtype=np.float32) for each in (least, most)]
    return OnnxClip(operator.inputs[0], *bounds, **_placed(operator, container))


def _log_odds(operator: Any, container: Any) -> Any:
    from skl2onnx.algebra.onnx_ops import OnnxLog, OnnxSub

    version = {"op_version": container.target_opset}
    likely = operator.inputs[0]
    unlikely = OnnxSub(np.array([1], dtype=np.float32), likely, **version)
    return OnnxSub(
        OnnxLog(likely, **version), OnnxLog(unlikely, **version), **_placed(operator, container)
    )


def _placed(operator: Any, container: Any) -> dict[str, Any]:
    return {"op_version": container.target_opset, "output_names": operator.outputs[:1]}
