"""AutoGluon's medium quality, for our metric and seconds: ``TRAIN HELD SECONDS SEED`` → JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

from tests.bench.judging import LABEL, POSITIVE, figures


def main(train: str, held: str, seconds: str, seed: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        predictor = TabularPredictor(
            label=LABEL,
            eval_metric="roc_auc",
            path=folder,
            verbosity=0,
            learner_kwargs={"random_state": int(seed)},
        )
        predictor.fit(pd.read_csv(train), presets="medium_quality", time_limit=float(seconds))
        taken_s = time.monotonic() - began
        likely = predictor.predict_proba(pd.read_csv(held).drop(columns=LABEL))[POSITIVE]
        print(json.dumps({**figures(likely.to_numpy(), Path(held)), "s": taken_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
