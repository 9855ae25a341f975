"""Writes a fitted estimator as a native model: what `native` loads.

Knows the shapes AutoML builds: a ``ColumnTransformer``, scalers, and an estimator or a vote or
a stack of several. The estimators become trees, weights or, if asked, one ONNX model. An
estimator without a counterpart is kept as it is behind the fast encoder; a shape without one
is refused.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from services.domain import DataContract
from services.local.serving import matrix_steps, native, onnx_model, tree_leaves
from services.local.serving.feature_encoding import (
    UnsupportedModelError,
    encoding,
    flattened,
    is_classifier,
)

_LINEAR_CLASSIFIERS = frozenset({"LogisticRegression", "LogisticRegressionCV", "SGDClassifier"})
_LINEAR_REGRESSORS = frozenset(
    {
        "ARDRegression",
        "BayesianRidge",
        "ElasticNet",
        "ElasticNetCV",
        "HuberRegressor",
        "Lasso",
        "LassoCV",
        "LassoLars",
        "LassoLarsCV",
        "LinearRegression",
        "LinearSVR",
        "Ridge",
        "RidgeCV",
        "SGDRegressor",
    }
)

Document = dict[str, Any]


def write(estimator: Any, contract: DataContract, folder: Path, *, onnx: bool = False) -> None:
    """Put the native form of `estimator` into `folder`, which exists.

    Args:
        onnx: convert what follows the features to ONNX, for ONNX Runtime to evaluate.

    Raises:
        UnsupportedModelError: its shape is not one of those above, or ONNX cannot express it.
    """
    writer = Writer(contract, folder, onnx=onnx)
    document = writer.of_rows(estimator)
    np.savez(folder / native.ARRAYS, **writer.arrays)
    (folder / native.FILE).write_text(json.dumps(document), encoding="utf-8")


class Writer:
    """Collects the arrays and files that a document refers to."""

    def __init__(self, contract: DataContract, folder: Path, *, onnx: bool = False) -> None:
        self._contract, self._folder, self._onnx = contract, folder, onnx
        self._file_count = 0
        self.arrays: dict[str, Any] = {}

    # --- of rows: what begins with raw values ---

    def of_rows(self, estimator: Any) -> Document:
        kind = type(estimator).__name__
        if kind.startswith(("Voting", "Stacking")):
            return self._ensemble(estimator, self.of_rows)
        first, *rest = _parts(estimator)
        if type(first).__name__ != "ColumnTransformer" or not rest:
            raise UnsupportedModelError(f"a model that begins with {type(first).__name__}")
        *between, last = rest
        encoder = encoding(first, self._contract)
        flow = matrix_steps.Flow(width=len(encoder["base"]), sparse=bool(first.sparse_output_))
        steps = matrix_steps.write(self, between, flow)
        parts = [{"kind": "encode", "encoder": encoder}, *steps, self._model(last, flow)]
        return {"kind": "chain", "parts": parts}

    def _model(self, estimator: Any, flow: matrix_steps.Flow) -> Document:
        if not self._onnx:
            return self.of_matrix(estimator, flow)
        if flow.sparse:
            raise UnsupportedModelError("a sparse matrix, which ONNX takes for one full of zeros")
        name = self.file("onnx", onnx_model.converted(estimator, flow.width))
        return {"kind": "onnx", "file": name}

    # --- of a matrix: what follows the features ---

    def of_matrix(self, estimator: Any, flow: matrix_steps.Flow) -> Document:
        kind = type(estimator).__name__
        if kind.startswith(("Voting", "Stacking")):
            return self._ensemble(estimator, lambda member: self.of_matrix(member, flow))
        *before, last = _parts(estimator)
        own = flow.copy()
        steps = matrix_steps.write(self, before, own)
        leaf = self._leaf(last, own)
        return {"kind": "chain", "parts": [*steps, leaf]} if steps else leaf

    def _ensemble(self, ensemble: Any, member: Any) -> Document:
        if type(ensemble).__name__.startswith("Voting"):
            return self._vote(ensemble, member)
        return self._stack(ensemble, member)

    def _vote(self, vote: Any, member: Any) -> Document:
        if getattr(vote, "voting", "soft") != "soft":
            raise UnsupportedModelError("a vote by majority")
        members = list(vote.estimators_)
        weights = [1.0] * len(members) if vote.weights is None else list(vote.weights)
        return {
            "kind": "vote",
            "weights": [float(weight) for weight in weights if weight is not None],
            "members": [member(each) for each in members],
        }

    def _stack(self, stack: Any, member: Any) -> Document:
        if stack.passthrough:
            raise UnsupportedModelError("a stack that also sees the features")
        if not set(stack.stack_method_) <= {"predict_proba", "predict"}:
            raise UnsupportedModelError(f"a stack of {stack.stack_method_}")
        members = [member(each) for each in stack.estimators_]
        class_count = len(stack.classes_) if is_classifier(stack) else 1
        binary = class_count == 2
        columns = len(members) * (1 if binary else class_count)
        stacked = {
            "kind": "stack",
            "members": members,
            "first_column": 1 if binary else 0,  # of two classes only the second is kept
        }
        final = self.of_matrix(stack.final_estimator_, matrix_steps.Flow(width=columns))
        return {"kind": "chain", "parts": [stacked, final]}

    def _leaf(self, estimator: Any, flow: matrix_steps.Flow) -> Document:
        try:
            if (found := tree_leaves.read(estimator, flow)) is not None:
                text, described = found
                return {"kind": "trees", "file": self.file("txt", text.encode()), **described}
            return self._linear(estimator)
        except UnsupportedModelError:
            if flow.sparse and type(estimator).__name__.startswith("XGB"):
                raise  # it takes an absent entry for missing, a dense matrix has none
            return self._as_it_is(estimator)

    def _linear(self, model: Any) -> Document:
        kind = type(model).__name__
        if kind in _LINEAR_CLASSIFIERS:
            link = _linear_link(model)
        elif kind in _LINEAR_REGRESSORS:
            link = "identity"
        else:
            raise UnsupportedModelError(kind)
        return {
            "kind": "linear",
            "weights": self.array(np.atleast_2d(model.coef_).T),
            "intercept": self.array(np.atleast_1d(model.intercept_)),
            "link": link,
        }

    def _as_it_is(self, estimator: Any) -> Document:
        method = "predict_proba" if is_classifier(estimator) else "predict"
        return {"kind": "estimator", "file": self.pickle(estimator), "method": method}

    # --- files ---

    def file(self, suffix: str, content: bytes) -> str:
        self._file_count += 1
        name = f"part{self._file_count}.{suffix}"
        (self._folder / name).write_bytes(content)
        return name

    def pickle(self, thing: Any) -> str:
        return self.file("pkl", pickle.dumps(thing))

    def array(self, values: Any) -> str:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.asarray(values, dtype=np.float64)
        return name


def _parts(estimator: Any) -> Sequence[Any]:
    """The steps of a pipeline, of pipelines inside it too; an estimator alone is one step."""
    return list(flattened(estimator))


def _linear_link(model: Any) -> str:
    several = len(model.classes_) > 2
    if type(model).__name__ == "SGDClassifier":
        if model.loss != "log_loss":
            raise UnsupportedModelError(f"SGDClassifier with loss {model.loss}")
        return "one against the rest" if several else "sigmoid"
    if several and model.solver == "liblinear":
        return "one against the rest"
    return "softmax" if several else "sigmoid"


def core_parts(document: Mapping[str, Any]) -> Mapping[str, int]:
    """How many parts of each kind a document has, for people and for tests."""
    counts: dict[str, int] = {}

    def count(part: Mapping[str, Any]) -> None:
        counts[part["kind"]] = counts.get(part["kind"], 0) + 1
        for each in (*part.get("parts", ()), *part.get("members", ())):
            count(each)

    count(document)
    return counts
