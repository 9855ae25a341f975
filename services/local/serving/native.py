"""A model as an encoder, trees and a little arithmetic: no pandas, no scikit-learn.

`native_model` writes such a model from a fitted estimator; the arithmetic here is the same,
in the same precision. Whether it *is* the same is not believed but measured (`parity`).
"""

from __future__ import annotations

import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.local.serving.encoder import ON_ARRAYS, Encoder
from services.local.serving.lightgbm_library import LightGBM

Matrix = npt.NDArray[np.float64]

FILE = "native.json"
ARRAYS = "arrays.npz"


class Part(ABC):
    """A model or a piece of one. Used from one thread at a time."""

    @abstractmethod
    def answer(self, data: Any) -> Matrix:
        """One row of numbers per row of `data`.

        Args:
            data: what the part before made; the first part takes rows of values in the
                contract's order.

        Returns:
            Of a whole model, the probability of every class, or the one value.
        """


def load(folder: Path) -> Part:
    """The model that `native_model.write` left in `folder`."""
    document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return _part(document, _Files(folder))


class _Files:
    """Arrays and models beside the document."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with np.load(folder / ARRAYS) as arrays:
            self._arrays = {name: arrays[name] for name in arrays.files}

    def array(self, name: str) -> Matrix:
        array: Matrix = self._arrays[name]
        return array

    def path(self, name: str) -> Path:
        return self._folder / name


def _part(document: Mapping[str, Any], files: _Files) -> Part:
    return _PARTS[document["kind"]](document, files)


# --- composition ------------------------------------------------------------------


class _Encode(Part):
    """Rows of values to rows of numbers."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._encoder = Encoder(document["encoder"])

    def answer(self, data: Any) -> Matrix:
        return self._encoder.encode(data)


class _Chain(Part):
    """One part after the other."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._answers = [_part(each, files).answer for each in document["parts"]]

    def answer(self, data: Any) -> Matrix:
        for answer in self._answers:
            data = answer(data)
        made: Matrix = data
        return made


class _Vote(Part):
    """The weighted mean of its members."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        weights = np.array(document["weights"], dtype=np.float64)
        members = [_part(each, files) for each in document["members"]]
        self._members = list(zip(weights / weights.sum(), members, strict=True))

    def answer(self, data: Any) -> Matrix:
        total = 0.0
        for weight, member in self._members:
            total = total + weight * member.answer(data)
        made: Matrix = np.asarray(total)
        return made


class _Stack(Part):
    """The answers of its members side by side, for a last model to judge."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._members = [_part(each, files) for each in document["members"]]
        self._first_column: int = document["first_column"]

    def answer(self, data: Any) -> Matrix:
        answers = [member.answer(data)[:, self._first_column :] for member in self._members]
        return np.hstack(answers)


# --- arithmetic -------------------------------------------------------------------


class _Single(Part):
    """Rounded to single precision, though still kept in double."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        pass

    def answer(self, data: Any) -> Matrix:
        return _rounded(data)


class _Columnwise(Part):
    """One operation with an operand per column."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._operate = ON_ARRAYS[document["operation"]]
        self._operand = files.array(document["operand"])
        self._single: bool = document["single"]

    def answer(self, data: Any) -> Matrix:
        made: Matrix = self._operate(data, self._operand)
        return _rounded(made) if self._single else made


class _Fill(Part):
    """Missing numbers replaced, per column."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._operand = files.array(document["operand"])

    def answer(self, data: Any) -> Matrix:
        return np.where(np.isnan(data), self._operand, data)


class _Product(Part):
    """A projection: ``data @ operand``."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._operand = files.array(document["operand"])

    def answer(self, data: Any) -> Matrix:
        made: Matrix = data @ self._operand
        return made


class _Normalize(Part):
    """Each row divided by its norm; a row of zeros stays."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._order = {"l1": 1, "l2": 2, "max": np.inf}[document["norm"]]

    def answer(self, data: Any) -> Matrix:
        norms = np.linalg.norm(data, self._order, axis=1, keepdims=True)
        made: Matrix = data / np.where(norms == 0.0, 1.0, norms)
        return made


class _Choose(Part):
    """Some of the columns."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._columns = files.array(document["operand"]).astype(np.intp)

    def answer(self, data: Any) -> Matrix:
        made: Matrix = data[:, self._columns]
        return made


class _OneHot(Part):
    """Columns of small whole numbers, each as one column per value."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._slots = files.array(document["slots"]).astype(np.intp)  # [column][code − lowest]
        self._lowest: int = document["lowest"]
        self._columns = np.arange(len(self._slots))
        self._width: int = document["width"]  # one more column takes what has no slot

    def answer(self, data: Any) -> Matrix:
        codes = np.clip(data.astype(np.intp) - self._lowest, 0, self._slots.shape[1] - 1)
        made = np.zeros((len(data), self._width + 1))
        made[np.arange(len(data))[:, None], self._slots[self._columns, codes]] = 1.0
        return made[:, : self._width]


class _SideBySide(Part):
    """Parts that all see the same data, their columns one after the other."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._parts = [_part(each, files) for each in document["parts"]]

    def answer(self, data: Any) -> Matrix:
        return np.hstack([part.answer(data) for part in self._parts])


class _Transformer(Part):
    """A scikit-learn transformer used as it is."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._transformer = _unpickled(files.path(document["file"]))

    def answer(self, data: Any) -> Matrix:
        made = self._transformer.transform(data)
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made, np.float64)


# --- estimators -------------------------------------------------------------------


class _Trees(Part):
    """Trees in LightGBM's library, whoever grew them."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._booster = LightGBM(files.path(document["file"]), document["width"])
        self._single: bool = document["single"]
        self._zero_is_missing: bool = document["zero_is_missing"]
        self._divisor: float = document["divisor"]
        self._offset = np.array(document["offset"])
        self._shifted = bool(self._offset.any())
        self._link = LINKS[document["link"]]

    def answer(self, data: Any) -> Matrix:
        if self._single:
            data = _rounded(data)
        if self._zero_is_missing:
            data = np.where(data == 0.0, np.nan, data)
        sums = self._booster.predict(data)
        if self._divisor != 1.0:
            sums /= self._divisor
        if self._shifted:
            sums += self._offset
        return self._link(sums)


class _Linear(Part):
    """Weights and an intercept per output."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._weights = files.array(document["weights"])
        self._intercept = files.array(document["intercept"])
        self._link = LINKS[document["link"]]

    def answer(self, data: Any) -> Matrix:
        return self._link(data @ self._weights + self._intercept)


class _Estimator(Part):
    """A scikit-learn estimator used as it is, on numbers."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        self._answer = getattr(_unpickled(files.path(document["file"])), document["method"])

    def answer(self, data: Any) -> Matrix:
        return np.asarray(self._answer(data), np.float64).reshape(len(data), -1)


class _Onnx(Part):
    """An ONNX model, on numbers."""

    def __init__(self, document: Mapping[str, Any], files: _Files) -> None:
        import onnxruntime  # half a second, and only where it is used

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(files.path(document["file"])), options, providers=["CPUExecutionProvider"]
        )
        self._input: str = self._session.get_inputs()[0].name
        # A classifier's labels come first.
        self._outputs = [self._session.get_outputs()[-1].name]

    def answer(self, data: Any) -> Matrix:
        (made,) = self._session.run(self._outputs, {self._input: data.astype(np.float32)})
        return np.asarray(made, np.float64).reshape(len(data), -1)


_PARTS: Mapping[str, Callable[[Mapping[str, Any], _Files], Part]] = {
    "encode": _Encode,
    "chain": _Chain,
    "vote": _Vote,
    "stack": _Stack,
    "single": _Single,
    "columnwise": _Columnwise,
    "fill": _Fill,
    "product": _Product,
    "normalize": _Normalize,
    "choose": _Choose,
    "one hot": _OneHot,
    "side by side": _SideBySide,
    "transformer": _Transformer,
    "trees": _Trees,
    "linear": _Linear,
    "estimator": _Estimator,
    "onnx": _Onnx,
}


# --- raw scores as probabilities or values ----------------------------------------


def _identity(raw: Matrix) -> Matrix:
    return raw


def _complement(raw: Matrix) -> Matrix:
    """Already the probability of the second of two classes."""
    both = np.empty((len(raw), 2))
    both[:, 1] = raw[:, 0]
    np.subtract(1.0, both[:, 1], out=both[:, 0])
    return both


def _likely(raw: Matrix) -> Matrix:
    """The logistic function, in the form that cannot overflow."""
    made: Matrix = 0.5 + 0.5 * np.tanh(0.5 * raw)
    return made


def _sigmoid(raw: Matrix) -> Matrix:
    return _complement(_likely(raw))


def _one_against_the_rest(raw: Matrix) -> Matrix:
    likely = _likely(raw)
    made: Matrix = likely / likely.sum(axis=1, keepdims=True)
    return made


def _softmax(raw: Matrix) -> Matrix:
    odds = np.exp(raw - raw.max(axis=1, keepdims=True))
    made: Matrix = odds / odds.sum(axis=1, keepdims=True)
    return made


def _exponential(raw: Matrix) -> Matrix:
    made: Matrix = np.exp(raw)
    return made


LINKS: Mapping[str, Callable[[Matrix], Matrix]] = {
    "identity": _identity,
    "complement": _complement,
    "sigmoid": _sigmoid,
    "one against the rest": _one_against_the_rest,
    "softmax": _softmax,
    "exp": _exponential,
}


def _rounded(data: Matrix) -> Matrix:
    return data.astype(np.float32).astype(np.float64)


def _unpickled(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)
