"""How a model is judged on rows it has not seen. Imports nothing of ours: others run it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LABEL, POSITIVE = "y", "yes"


def judged(model: Any, held: Path) -> dict[str, float]:
    """The figures of a classifier on the held-out rows."""
    import pandas as pd

    features = pd.read_csv(held).drop(columns=LABEL)
    likely = model.predict_proba(features)[:, list(model.classes_).index(POSITIVE)]
    return figures(likely, held)


def figures(likely: Any, held: Path) -> dict[str, float]:
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    truth = pd.read_csv(held)[LABEL] == POSITIVE
    return {
        "auc": float(roc_auc_score(truth, likely)),
        "accuracy": float(((likely > 0.5) == truth).mean()),
    }
