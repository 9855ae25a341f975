"""The steps between the features and an estimator, written as native parts.

They turn one matrix into another. A scaler becomes an operation with an operand per column;
a step without a counterpart is kept as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from services.local.serving.feature_encoding import UnsupportedModelError, columnwise, flattened

if TYPE_CHECKING:
    from services.local.serving.native_model import Writer

Document = dict[str, Any]

LOWEST_CODE = -1  # of a category that is missing or was never seen


@dataclass(slots=True)
class Flow:
    """What the matrix is like where the writer has come to."""

    width: int
    sparse: bool = False  # scikit-learn's matrix leaves its zeros out
    single: bool = False  # scikit-learn's matrix is in single precision

    def copy(self) -> Flow:
        return replace(self)


def write(writer: Writer, steps: Sequence[Any], flow: Flow) -> list[Document]:
    """One or more parts per step; `flow` is left as it is behind the last of them."""
    return [part for step in steps for part in _step(writer, step, flow)]


def _step(writer: Writer, step: Any, flow: Flow) -> list[Document]:
    kind = type(step).__name__
    if _rounds(step):
        flow.single = True
        return [{"kind": "single"}]
    if kind == "Normalizer":
        return [{"kind": "normalize", "norm": step.norm}]
    if kind in ("TruncatedSVD", "PCA") and not getattr(step, "whiten", False):
        return _projection(writer, step, flow)
    if kind == "ColumnTransformer":
        return _columns(writer, step, flow)
    if hasattr(step, "get_support"):
        columns = step.get_support(indices=True)
        flow.width = len(columns)
        return [{"kind": "choose", "operand": writer.array(columns)}]
    try:
        return _operations(writer, columnwise(step), flow)
    except UnsupportedModelError:
        return _as_it_is(writer, step, flow)


def _rounds(step: Any) -> bool:
    """Whether it is ``FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})``."""
    return (
        type(step).__name__ == "FunctionTransformer"
        and step.func is np.asarray
        and step.kw_args == {"dtype": np.float32}
    )


def _operations(
    writer: Writer, operations: Sequence[tuple[str, Any]], flow: Flow
) -> list[Document]:
    return [
        {
            "kind": "columnwise",
            "operation": name,
            "operand": writer.array(operand),
            "single": flow.single,
        }
        for name, operand in operations
    ]


def _projection(writer: Writer, step: Any, flow: Flow) -> list[Document]:
    center = [("sub", step.mean_)] if type(step).__name__ == "PCA" else []
    parts = _operations(writer, center, flow)
    flow.width, flow.sparse = len(step.components_), False
    return [*parts, {"kind": "product", "operand": writer.array(step.components_.T)}]


def _as_it_is(writer: Writer, step: Any, flow: Flow) -> list[Document]:
    flow.width, flow.sparse = len(step.get_feature_names_out()), False
    return [{"kind": "transformer", "file": writer.pickle(step)}]


# --- a column transformer in the middle -------------------------------------------


def _columns(writer: Writer, step: Any, flow: Flow) -> list[Document]:
    """Category codes to one-hot columns and numbers scaled, as linear learners want them."""
    if step.sparse_output_:
        raise UnsupportedModelError("a sparse matrix of one-hot columns")
    placed = []
    for name, fitted, columns in step.transformers_:
        where = step.output_indices_[name]
        if where.start < where.stop:
            choose = {"kind": "choose", "operand": writer.array(columns)}
            part_flow = replace(flow, width=len(columns))
            parts = [part for each in flattened(fitted) for part in _inner(writer, each, part_flow)]
            placed.append((where.start, {"kind": "chain", "parts": [choose, *parts]}))
    placed.sort(key=lambda each: each[0])
    flow.width = max(where.stop for where in step.output_indices_.values())
    return [{"kind": "side by side", "parts": [part for _, part in placed]}]


def _inner(writer: Writer, step: Any, flow: Flow) -> list[Document]:
    kind = type(step).__name__
    if kind == "OneHotEncoder":
        return [_one_hot(writer, step)]
    if kind == "SimpleImputer":
        if step.add_indicator or np.isnan(step.statistics_.astype(float)).any():
            raise UnsupportedModelError("marks of missing values inside a model")
        return [{"kind": "fill", "operand": writer.array(step.statistics_)}]
    return _operations(writer, columnwise(step), flow)


def _one_hot(writer: Writer, encoder: Any) -> Document:
    """Which column each code switches on, found out by asking the encoder."""
    known = encoder.categories_
    if any(not np.array_equal(values, np.round(values.astype(float))) for values in known):
        raise UnsupportedModelError("one-hot columns of numbers that are not codes")
    highest = max(int(max(values)) for values in known) + 1  # one beyond: never seen
    typical = np.array([float(values[0]) for values in known])
    width = len(encoder.get_feature_names_out())
    slots = np.full((len(known), highest - LOWEST_CODE + 1), width)
    for column in range(len(known)):
        asked = np.tile(typical, (slots.shape[1], 1))
        asked[:, column] = np.arange(LOWEST_CODE, highest + 1)
        made = encoder.transform(asked)
        made = made.toarray() if hasattr(made, "toarray") else made
        start, stop = _block(encoder, column)
        found = made[:, start:stop]
        slots[column] = np.where(found.any(axis=1), start + found.argmax(axis=1), width)
    return {
        "kind": "one hot",
        "slots": writer.array(slots),
        "lowest": LOWEST_CODE,
        "width": width,
    }


def _block(encoder: Any, column: int) -> tuple[int, int]:
    """Where the columns of one feature are in the encoder's output."""
    sizes = encoder._n_features_outs
    start = int(sum(sizes[:column]))
    return start, start + int(sizes[column])
