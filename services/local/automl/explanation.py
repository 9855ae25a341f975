"""Which features a fitted model listens to: a LightGBM surrogate and its SHAP values.

The surrogate learns the model's log-odds (its prediction, for regression) from one-hot
features, so one method serves every model and each category has an importance of its
own. Azure AutoML explains in the same way. How well it mimics the model is measured on
rows it did not learn from and told along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.domain import Task
from services.local.automl.arrays import Floats, Matrix
from services.local.automl.features import Feature

LEARNT_ROWS = 8000
EXPLAINED_ROWS = 2000
CLASS_LIMIT = 10  # of more classes the most frequent are explained
METHOD = "Mean absolute SHAP value of a LightGBM surrogate of the model's {output}"


@dataclass(frozen=True, slots=True)
class Importance:
    method: str
    raw: list[tuple[str, float]]  # largest first
    engineered: list[tuple[str, float]]
    fidelity: float  # R² against the model
    row_count: int

    def document(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "raw": self.raw,
            "engineered": self.engineered,
            "fidelity": self.fidelity,
            "row_count": self.row_count,
        }


def explain(
    model: Any, task: Task, matrix: Matrix, features: Sequence[Feature], *, seed: int
) -> Importance:
    """Global importance of every feature of a model that predicts from the matrix."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(matrix))[: LEARNT_ROWS + EXPLAINED_ROWS]
    sample = np.asarray(matrix[rows])
    names, raw, expanded = _expanded(features, sample)
    explained = min(EXPLAINED_ROWS, len(rows) // 2)
    outputs = _outputs(model, task, sample)
    shares, fidelities = zip(
        *(_surrogate(expanded, output, explained, seed) for output in outputs.T), strict=True
    )
    engineered = dict(zip(names, np.mean(shares, axis=0).tolist(), strict=True))
    totals: dict[str, float] = {}
    for name, column in zip(names, raw, strict=True):
        totals[column] = totals.get(column, 0.0) + engineered[name]
    output = "log-odds" if task is Task.CLASSIFICATION else "prediction"
    return Importance(
        METHOD.format(output=output),
        _largest_first(totals),
        _largest_first(engineered),
        float(np.mean(fidelities)),
        explained,
    )


def _outputs(model: Any, task: Task, matrix: Matrix) -> Floats:
    """What the surrogate has to learn: a column, or one per class of more than two."""
    if task is Task.REGRESSION:
        return np.asarray(model.predict(matrix), dtype=np.float64).reshape(-1, 1)
    likely = np.clip(np.asarray(model.predict_proba(matrix), dtype=np.float64), 1e-6, 1 - 1e-6)
    odds = np.log(likely / (1 - likely))
    if odds.shape[1] == 2:
        return np.asarray(odds[:, 1:])
    return np.asarray(odds[:, np.argsort(-likely.mean(axis=0), kind="stable")[:CLASS_LIMIT]])


def _surrogate(features: Matrix, output: Floats, explained: int, seed: int) -> tuple[Floats, float]:
    """Mean absolute contribution per column, and R² on the rows kept aside."""
    from lightgbm import LGBMRegressor

    surrogate = LGBMRegressor(
        n_estimators=150, num_leaves=16, random_state=seed, n_jobs=1, verbosity=-1
    )
    surrogate.fit(features[explained:], output[explained:])
    aside, truth = features[:explained], output[:explained]
    contributions = np.asarray(surrogate.predict(aside, pred_contrib=True))[:, :-1]
    error = np.mean((np.asarray(surrogate.predict(aside)) - truth) ** 2)
    spread = float(np.var(truth))
    return np.abs(contributions).mean(axis=0), float(1 - error / spread) if spread else 1.0


def _expanded(features: Sequence[Feature], matrix: Matrix) -> tuple[list[str], list[str], Matrix]:
    """Names, raw columns and values of the one-hot features Azure AutoML would make."""
    names: list[str] = []
    raw: list[str] = []
    columns: list[Any] = []
    for feature, values in zip(features, matrix.T, strict=True):
        if len(feature.categories) > 2:
            for code, category in enumerate(feature.categories):
                names.append(f"{feature.raw}_CharGramCountVectorizer_{category}")
                raw.append(feature.raw)
                columns.append(values == code)
        else:
            names.append(feature.engineered)
            raw.append(feature.raw)
            columns.append(values)
    return names, raw, np.column_stack(columns).astype(np.float32)


def _largest_first(values: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda each: -each[1])
