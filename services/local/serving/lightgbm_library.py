"""Trees through LightGBM's C library, one row at a time or many.

The Python package loads pandas and scikit-learn, which takes seconds and two hundred
megabytes; predicting needs neither.

Source: LightGBM 4.7, ``c_api.h``.
"""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_FLOAT64 = 1  # C_API_DTYPE_FLOAT64
_NORMAL = 0  # C_API_PREDICT_NORMAL


class LightGBM:
    """A model in LightGBM's text format. Used from one thread at a time."""

    def __init__(self, path: Path, feature_count: int) -> None:
        self._library = _lightgbm()
        self._handle = ctypes.c_void_p()
        rounds = ctypes.c_int()
        self._call(
            "LGBM_BoosterLoadModelFromString",
            path.read_bytes(),
            ctypes.byref(rounds),
            ctypes.byref(self._handle),
        )
        outputs = ctypes.c_int()
        self._call("LGBM_BoosterGetNumClasses", self._handle, ctypes.byref(outputs))
        self.output_count = outputs.value
        self._row = np.zeros(feature_count)
        self._answer = np.zeros((1, self.output_count))
        self._written = ctypes.c_int64()
        self._fast = ctypes.c_void_p()
        self._call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            self._handle,
            _NORMAL,
            0,
            -1,
            _FLOAT64,
            feature_count,
            b"num_threads=1",
            ctypes.byref(self._fast),
        )
        self._predict_row = self._library.LGBM_BoosterPredictForMatSingleRowFast
        self._single = (
            self._fast,
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._written),
            ctypes.c_void_p(self._answer.ctypes.data),
        )

    def predict(self, rows: Matrix) -> Matrix:
        """One row of outputs per row of features."""
        if len(rows) == 1:
            self._row[:] = rows[0]
            if self._predict_row(*self._single):
                raise self._error()
            return self._answer.copy()
        rows = np.ascontiguousarray(rows)
        answer = np.zeros((len(rows), self.output_count))
        self._call(
            "LGBM_BoosterPredictForMat",
            self._handle,
            ctypes.c_void_p(rows.ctypes.data),
            _FLOAT64,
            ctypes.c_int32(rows.shape[0]),
            ctypes.c_int32(rows.shape[1]),
            1,  # row after row
            _NORMAL,
            0,
            -1,
            b"num_threads=1",
            ctypes.byref(self._written),
            ctypes.c_void_p(answer.ctypes.data),
        )
        return answer

    def _call(self, function: str, *arguments: object) -> None:
        if getattr(self._library, function)(*arguments):
            raise self._error()

    def _error(self) -> RuntimeError:
        return RuntimeError(self._library.LGBM_GetLastError().decode("utf-8", "replace"))


@cache
def _lightgbm() -> ctypes.CDLL:
    """The shared library inside the package, without importing the package."""
    found = importlib.util.find_spec("lightgbm")
    if found is None or found.origin is None:
        raise RuntimeError("LightGBM is not installed; install requirements.txt again.")
    library = ctypes.CDLL(str(Path(found.origin).parent / "lib" / "lib_lightgbm.so"))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library
