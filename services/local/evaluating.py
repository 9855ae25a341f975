"""Two models on rows that neither has learnt from, and one model slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from services import paired_difference, slices
from services.domain import Difference, EvaluationPlan, Model, SliceScore, split_id
from services.errors import InvalidRequestError
from services.local import evaluations, held_out
from services.local.automl import metrics
from services.local.datasets import LocalDatasets
from services.local.models import LocalModels
from services.local.serving import model_folder
from services.local.store import Store

if TYPE_CHECKING:
    import pandas as pd

ROW_LIMIT = 20_000  # of a dataset to predict; more would cost minutes and tell little
COLUMN_LIMIT = 60
REGRESSION_METRIC = "normalized_root_mean_squared_error"


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with their label, and what each model predicts for them."""

    rows: pd.DataFrame  # features
    truth: npt.NDArray[Any]  # class codes, or numbers
    labels: tuple[str, ...]  # of the classes; empty for regression
    predictions: tuple[npt.NDArray[np.float64], ...]  # of the champion, if any, and the model
    told: str  # which rows these are, for people
    span: tuple[float, float]  # of the whole dataset's label, for regression


class Evaluator:
    """Answers one plan. Needs the learning libraries: run it in a process of its own."""

    def __init__(self, home: Path, store: Store) -> None:
        self._datasets = LocalDatasets(home, store)
        self._models = LocalModels(home, store)

    def answer(self, plan: EvaluationPlan) -> dict[str, Any]:
        """The result as the store keeps it.

        Raises:
            InvalidRequestError: it cannot be computed; the message says why.
        """
        ids = [each for each in (plan.against, plan.model_id) if each]
        models = [self._models.get(each) for each in ids]
        label = self._label(models)
        judged = (
            self._as_held_out(models, label)
            if plan.dataset_id is None
            else self._predicted(models, label, plan.dataset_id)
        )
        metric = self._metric(models[-1], judged)
        return evaluations.answer(
            rows=judged.told,
            row_count=len(judged.truth),
            metric=metric,
            value=_known(_score(metric, judged, judged.predictions[-1])),
            difference=_difference(metric, judged) if plan.against else None,
            slices=tuple(_slices(metric, judged)),
        )

    def _label(self, models: list[Model]) -> str:
        labels = {model.properties.get("label") for model in models}
        if len(labels) > 1:
            raise InvalidRequestError("The two models predict different columns.")
        label = labels.pop()
        if not label:
            raise InvalidRequestError(
                "The model was registered without a contract, so its label is not known."
            )
        return label

    def _metric(self, model: Model, judged: Judged) -> str:
        known = model.properties.get("primary_metric", "")
        return known or ("AUC_weighted" if judged.labels else REGRESSION_METRIC)

    # --- rows that training held out ---

    def _as_held_out(self, models: list[Model], label: str) -> Judged:
        datasets = {model.dataset_id for model in models}
        if len(datasets) > 1 or None in datasets:
            raise InvalidRequestError(
                "The two models were trained on different dataset versions, so training held out "
                "different rows. Choose a dataset version to predict instead."
            )
        kept = [(model, held_out.read(self._folder(model))) for model in models]
        without = [model.id for model, held in kept if held is None]
        if without:
            raise InvalidRequestError(
                f"{' and '.join(without)} kept no held-out predictions. Train again, or choose a "
                "dataset version that holds rows it has not learnt from."
            )
        parts = [held for _, held in kept if held is not None]
        if len({held.labels for held in parts}) > 1:
            raise InvalidRequestError("The two models tell different classes apart.")
        frame = self._frame(models[-1].dataset_id or "")
        common = _common(parts)
        if not len(common):
            raise InvalidRequestError("Training held out no row that both models have in common.")
        predictions = []
        for held in parts:
            order = np.argsort(held.places, kind="stable")
            found = np.searchsorted(held.places[order], common)
            predictions.append(held.predictions[order[found]])
        return Judged(
            rows=frame.iloc[common].drop(columns=label),
            truth=_codes(frame[label].iloc[common], parts[0].labels),
            labels=parts[0].labels,
            predictions=tuple(predictions),
            told=f"{len(common):,} rows of {models[-1].dataset_id} that training held out",
            span=_span(frame[label], parts[0].labels),
        )

    # --- rows of a dataset that the models have not seen ---

    def _predicted(self, models: list[Model], label: str, dataset_id: str) -> Judged:
        frame = self._frame(dataset_id)
        if label not in frame:
            raise InvalidRequestError(f"{dataset_id} has no column “{label}” to compare with.")
        frame = frame[frame[label].notna()]
        unseen = frame[~self._learnt(frame, models)]
        if len(unseen) < paired_difference.MIN_ROWS:
            raise InvalidRequestError(
                f"Only {len(unseen):,} of the {len(frame):,} rows of {dataset_id} are new to "
                f"{' and '.join(model.id for model in models)}; at least "
                f"{paired_difference.MIN_ROWS} are needed. On rows a model has learnt from, the "
                "one that learnt them by heart wins."
            )
        sample = unseen.sample(ROW_LIMIT, random_state=0) if len(unseen) > ROW_LIMIT else unseen
        part = f"{len(sample):,} of " if len(sample) < len(unseen) else ""
        features = sample.drop(columns=label)
        estimators = [model_folder.read_estimator(self._folder(model)) for model in models]
        labels = [tuple(map(str, getattr(each, "classes_", ()))) for each in estimators]
        if len(set(labels)) > 1:
            raise InvalidRequestError("The two models tell different classes apart.")
        predictions = [
            _predict(model, self._models, estimator, features)
            for model, estimator in zip(models, estimators, strict=True)
        ]
        return Judged(
            rows=features,
            truth=_codes(sample[label], labels[0]),
            labels=labels[0],
            predictions=tuple(predictions),
            told=f"{part}{len(unseen):,} rows of {dataset_id} that are new to "
            + ("both models" if len(models) > 1 else "the model")
            + _unrecorded(models),
            span=_span(frame[label], labels[0]),
        )

    def _learnt(self, frame: pd.DataFrame, models: list[Model]) -> npt.NDArray[np.bool_]:
        """Which rows, by all their values, a model was trained on."""
        from pandas.util import hash_pandas_object

        learnt = np.zeros(len(frame), dtype=bool)
        for dataset_id in {model.dataset_id for model in models if model.dataset_id}:
            trained = self._frame(dataset_id)
            shared = [name for name in frame.columns if name in trained.columns]
            known = hash_pandas_object(_comparable(trained[shared]), index=False)
            learnt |= hash_pandas_object(_comparable(frame[shared]), index=False).isin(known)
        return learnt

    def _frame(self, dataset_id: str) -> pd.DataFrame:
        return self._datasets.frame(*split_id("dataset", dataset_id))

    def _folder(self, model: Model) -> Path:
        return self._models.folder(model.name, model.version)


def _unrecorded(models: list[Model]) -> str:
    names = [model.id for model in models if not model.dataset_id]
    return f"; what {' and '.join(names)} learnt from is not recorded" if names else ""


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Values that hash alike when they are alike: whole numbers are the same as floats or not."""
    from pandas.api import types

    return frame.assign(
        **{
            str(name): frame[name].astype(float)
            if types.is_numeric_dtype(frame[name].dtype)
            else frame[name].astype(str)
            for name in frame.columns
        }
    )


def _common(parts: list[held_out.HeldOut]) -> npt.NDArray[np.int64]:
    common = parts[0].places
    for held in parts[1:]:
        common = np.intersect1d(common, held.places)
    return np.unique(common)


def _predict(model: Model, models: LocalModels, estimator: Any, features: pd.DataFrame) -> Any:
    contract = models.contract(model.id)
    missing = [column.name for column in contract.columns if column.name not in features]
    if missing:
        raise InvalidRequestError(
            f"The rows lack {', '.join(missing)}, which {model.id} needs to predict."
        )
    rows = features[[column.name for column in contract.columns]]
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(rows), dtype=float)
    return np.asarray(estimator.predict(rows), dtype=float).reshape(-1, 1)


def _codes(label: pd.Series, labels: tuple[str, ...]) -> npt.NDArray[Any]:
    from services.local.automl.preparation import label_values

    if not labels:
        return label.to_numpy(dtype=float)
    place = {text: code for code, text in enumerate(labels)}
    texts = [str(value) for value in label_values(label)]
    unknown = sorted(set(texts) - place.keys())
    if unknown:
        raise InvalidRequestError(f"The models have never seen the class “{unknown[0]}”.")
    return np.array([place[text] for text in texts], dtype=np.int64)


def _span(label: pd.Series, labels: tuple[str, ...]) -> tuple[float, float]:
    return (0.0, 1.0) if labels else (float(label.min()), float(label.max()))


def _score(
    metric: str,
    judged: Judged,
    predictions: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64] | None = None,
) -> float:
    """The metric on some of the rows; NaN where they do not define it."""
    chosen = slice(None) if rows is None else rows
    truth, answers = judged.truth[chosen], predictions[chosen]
    if not judged.labels:
        return metrics.regression(truth, answers[:, 0], span=judged.span)[metric]
    if len(np.unique(truth)) < 2:
        return float("nan")
    return metrics.classification_score(metric, truth, answers)


def _difference(metric: str, judged: Judged) -> Difference:
    champion, challenger = judged.predictions
    counts = np.bincount(judged.truth, minlength=len(judged.labels)) if judged.labels else None
    rarest = None if counts is None else int(counts.min())
    if metric == "AUC_weighted" and len(judged.labels) == 2 and rarest:
        interval = paired_difference.delong(judged.truth, champion[:, 1], challenger[:, 1])
    else:
        interval = paired_difference.bootstrap(
            lambda rows: (
                _score(metric, judged, champion, rows),
                _score(metric, judged, challenger, rows),
            ),
            len(judged.truth),
            resamples=300,
        )
    return paired_difference.judged(metric, interval, row_count=len(judged.truth), rarest=rarest)


def _slices(metric: str, judged: Judged) -> list[SliceScore]:
    found = []
    for name in judged.rows.columns[:COLUMN_LIMIT]:
        cut = slices.cut(judged.rows[name])
        for code, label in enumerate(cut.labels):
            rows = np.flatnonzero(cut.codes == code)
            if not len(rows):
                continue
            value = _score(metric, judged, judged.predictions[-1], rows)
            found.append(
                SliceScore(
                    column=str(name),
                    label=label,
                    row_count=len(rows),
                    value=_known(value),
                    thin=len(rows) < slices.MIN_ROWS,
                )
            )
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
