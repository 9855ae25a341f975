"""What a child run's model predicted for the rows its training held out, kept beside the model."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FILE = "held_out.npz"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions for some rows of the dataset the model comes from."""

    places: npt.NDArray[np.int64]  # of the rows in the dataset, from 0
    predictions: npt.NDArray[np.float64]  # a column per class, or one of numbers
    labels: tuple[str, ...]  # of the classes, in column order; empty for regression


def packed(held: HeldOut) -> bytes:
    """As a file: single precision, which no metric here can tell from double."""
    import numpy as np

    file = io.BytesIO()
    np.savez_compressed(
        file,
        places=held.places.astype(np.int32),
        predictions=held.predictions.astype(np.float32),
        labels=np.array(held.labels, dtype=np.str_),
    )
    return file.getvalue()


def read(folder: Path) -> HeldOut | None:
    """What a model folder keeps; None where nothing was kept."""
    import numpy as np

    path = folder / FILE
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        return HeldOut(
            places=kept["places"].astype(np.int64),
            predictions=kept["predictions"].astype(np.float64),
            labels=tuple(str(label) for label in kept["labels"]),
        )
