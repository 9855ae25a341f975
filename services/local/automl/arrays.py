"""The arrays that AutoML's modules hand to each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]  # a class is its place among the sorted labels, from 0
Rows = npt.NDArray[np.int64]  # row numbers
Matrix = npt.NDArray[np.float32]  # one row per row, one column per encoded feature
