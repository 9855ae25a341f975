"""FLAML as it comes, for our metric and seconds: ``TRAIN HELD SECONDS SEED`` → JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from flaml import AutoML

from tests.bench.judging import LABEL, judged


def main(train: str, held: str, seconds: str, seed: str) -> None:
    frame = pd.read_csv(train)
    # FLAML 2.7 does not read pandas 3's text columns; categories it does.
    features = frame.drop(columns=LABEL).apply(
        lambda column: column.astype("category") if column.dtype.kind not in "if" else column
    )
    began = time.monotonic()
    search = AutoML()
    search.fit(
        features,
        frame[LABEL],
        task="classification",
        metric="roc_auc",
        time_budget=float(seconds),
        seed=int(seed),
        verbose=0,
    )
    taken_s = time.monotonic() - began
    print(json.dumps({**judged(search, Path(held)), "s": taken_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
