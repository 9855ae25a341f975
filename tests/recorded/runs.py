"""AutoML runs that have already happened: a parent, its children, metrics, charts and files.

    parent = runs.automl(home, store)            # 6 children, 1 failed, both ensembles
    runs.automl(home, store, dataset_id="bank:2", label="y", classes=("no", "yes"))

The scored rows behind the metrics are drawn once, so every number agrees with every
other: the confusion matrix's accuracy is the logged one. `model.pkl` is a real pickle of
a small scikit-learn pipeline only with ``model=True``, which takes a second.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from services import data_contract
from services.domain import (
    AutoMLSettings,
    ColumnContract,
    ColumnType,
    DataContract,
    RunStatus,
    Task,
    metric_goal,
)
from services.local import processes
from services.local.automl_request import parent_properties
from services.local.clock import utc_now
from services.local.duty import Program
from services.local.process_table import ProcessTable
from services.local.run_journal import MAIN_LOG, RunJournal
from services.local.runs import worker_key
from services.local.store import Store

STARTED = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
ROW_COUNT = 400


@dataclass(frozen=True, slots=True)
class Candidate:
    preprocessor: str
    algorithm: str
    skill: float  # how far apart the classes' scores lie; None of it in Azure
    failure: str = ""

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.preprocessor, self.algorithm)))


CANDIDATES = (
    Candidate("MaxAbsScaler", "LightGBM", 2.6),
    Candidate("MaxAbsScaler", "XGBoostClassifier", 2.5),
    Candidate("StandardScalerWrapper", "LogisticRegression", 1.9),
    Candidate("MaxAbsScaler", "ExtremeRandomTrees", 0.0, "The fit ran out of memory."),
)
ENSEMBLES = (Candidate("", "VotingEnsemble", 2.8), Candidate("", "StackEnsemble", 2.7))
REGRESSORS = (
    Candidate("MaxAbsScaler", "LightGBM", 3.0),
    Candidate("StandardScalerWrapper", "ElasticNet", 1.2),
    Candidate("", "VotingEnsemble", 3.2),
)


class Ticking:
    """A clock that moves when told to, so that recorded durations are the same every time."""

    def __init__(self, start: datetime = STARTED) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def automl(
    home: Path,
    store: Store,
    *,
    experiment: str = "bank-marketing",
    dataset_id: str = "bank:1",
    label: str = "y",
    classes: Sequence[str] = ("no", "yes"),
    primary_metric: str = "AUC_weighted",
    candidates: Sequence[Candidate] = CANDIDATES + ENSEMBLES,
    contract: DataContract | None = None,
    model: bool = False,
    started: datetime = STARTED,
) -> str:
    """A Completed classification run; the id of the parent.

    Args:
        candidates: the children, in order; ensembles take every completed one before them.
        contract: what the model's rows look like; two columns when None.
        model: leave models that can really be loaded and served.
    """
    settings = AutoMLSettings(
        experiment=experiment,
        dataset_id=dataset_id,
        label_column_name=label,
        primary_metric=primary_metric,
        experiment_timeout_minutes=5,
    )
    contract = contract or small_contract(label, tuple(classes), dataset_id)
    recorder = _Recorder(home, store, settings, contract, Ticking(started), model=model)
    for candidate in candidates:
        recorder.child(candidate, *_classified(candidate, tuple(classes)))
    return recorder.finish(RunStatus.COMPLETED)


def regression(
    home: Path,
    store: Store,
    *,
    experiment: str = "house-prices",
    dataset_id: str = "houses:1",
    label: str = "price",
    candidates: Sequence[Candidate] = REGRESSORS,
    started: datetime = STARTED,
) -> str:
    """A Completed regression run; the id of the parent."""
    settings = AutoMLSettings(
        experiment=experiment,
        dataset_id=dataset_id,
        label_column_name=label,
        task=Task.REGRESSION,
        primary_metric="normalized_root_mean_squared_error",
    )
    contract = small_contract(label, (), dataset_id)
    recorder = _Recorder(home, store, settings, contract, Ticking(started), model=False)
    for candidate in candidates:
        recorder.child(candidate, *_predicted(candidate))
    return recorder.finish(RunStatus.COMPLETED)


def unsettled(
    home: Path,
    store: Store,
    *,
    status: RunStatus = RunStatus.RUNNING,
    children: int = 1,
    worker: bool = True,
    started: datetime = STARTED,
    **settings: Any,
) -> str:
    """A parent on its way, with that many completed children and one at work.

    Args:
        worker: this process stands in for its worker; without one it is Not responding.
    """
    recorder = _Recorder.of(home, store, started=started, **settings)
    if worker:
        _stand_in(store, worker_key(recorder.parent))
    for candidate in CANDIDATES[:children]:
        recorder.child(candidate, *_classified(candidate, ("no", "yes")))
    if status is RunStatus.RUNNING:
        recorder.begin(CANDIDATES[children])
    recorder.journal.enter(recorder.parent, status)
    return recorder.parent


def failed(
    home: Path,
    store: Store,
    *,
    error: str = "The training worker disappeared.",
    log: str = "",
    started: datetime = STARTED,
    **settings: Any,
) -> str:
    """A parent that Failed after its first child."""
    recorder = _Recorder.of(home, store, started=started, **settings)
    recorder.child(CANDIDATES[0], *_classified(CANDIDATES[0], ("no", "yes")))
    return recorder.finish(RunStatus.FAILED, error=error, log=log)


def small_contract(label: str, classes: tuple[str, ...], dataset_id: str) -> DataContract:
    return DataContract(
        columns=(
            ColumnContract(
                name="age",
                type=ColumnType.INTEGER,
                nullable=False,
                minimum=17,
                maximum=98,
                example=38,
            ),
            ColumnContract(
                name="job",
                type=ColumnType.STRING,
                nullable=False,
                categories=("admin.", "technician"),
                example="admin.",
            ),
        ),
        label=label,
        classes=classes,
        dataset_id=dataset_id,
    )


def _stand_in(store: Store, key: str) -> None:
    table = ProcessTable(store)
    program = Program(
        key=key, module="services.local.training_worker", args=(), log=Path("unused"), server=False
    )
    table.starting(program, utc_now())
    table.started(key, processes.reference(os.getpid()))


class _Recorder:
    def __init__(
        self,
        home: Path,
        store: Store,
        settings: AutoMLSettings,
        contract: DataContract,
        clock: Ticking,
        *,
        model: bool,
    ) -> None:
        self.clock, self.settings, self.contract = clock, settings, contract
        self.journal = RunJournal(home, store, clock=clock)
        self.parent = self.journal.queue_automl(settings, parent_properties(settings))
        clock.pass_by(1)
        self.journal.enter(self.parent, RunStatus.RUNNING)
        self._model = _pickled(contract) if model else b"a model in name only"
        self._children: list[tuple[str, Candidate, float | None]] = []

    @classmethod
    def of(cls, home: Path, store: Store, *, started: datetime, **settings: Any) -> _Recorder:
        given = {
            "experiment": "bank-marketing",
            "dataset_id": "bank:1",
            "label_column_name": "y",
            **settings,
        }
        contract = small_contract(given["label_column_name"], ("no", "yes"), given["dataset_id"])
        return cls(home, store, AutoMLSettings(**given), contract, Ticking(started), model=False)

    def begin(self, candidate: Candidate) -> str:
        self.clock.pass_by(2)
        goal = "min" if metric_goal(self.settings.primary_metric) == "minimize" else "max"
        properties = {
            "runTemplate": "automl_child",
            "iteration": str(len(self._children)),
            "run_preprocessor": candidate.preprocessor,
            "run_algorithm": candidate.algorithm,
            "primary_metric": self.settings.primary_metric,
            "goal": f"{self.settings.primary_metric}_{goal}",
        }
        return self.journal.start_child(
            self.parent, len(self._children), candidate.name, properties
        )

    def child(
        self, candidate: Candidate, metrics: Mapping[str, float], tables: Mapping[str, Any]
    ) -> None:
        run_id = self.begin(candidate)
        self.clock.pass_by(4)
        self.journal.write(run_id, MAIN_LOG, f"fitting {candidate.name}\n".encode())
        if candidate.failure:
            self.journal.settle(run_id, RunStatus.FAILED, error=candidate.failure)
            self._children.append((run_id, candidate, None))
            return
        self._leave_model(run_id)
        score = metrics[self.settings.primary_metric]
        self.journal.complete_child(
            run_id,
            score=score,
            metrics=metrics,
            tables=tables,
            properties={"fit_time": "4.0", **self._ensembled(candidate)},
        )
        self._children.append((run_id, candidate, score))

    def finish(self, status: RunStatus, *, error: str = "", log: str = "") -> str:
        if status is RunStatus.COMPLETED:
            self._explain()
        self.journal.write(self.parent, MAIN_LOG, (log or "search finished\n").encode())
        self.clock.pass_by(1)
        self.journal.settle(self.parent, status, error=error)
        return self.parent

    def _leave_model(self, run_id: str) -> None:
        contract = data_contract.to_json(self.contract).encode()
        rows = [data_contract.example_row(self.contract)] * 3
        self.journal.write(run_id, "outputs/model.pkl", self._model)
        self.journal.write(run_id, "outputs/contract.json", contract)
        self.journal.write(run_id, "outputs/sample_rows.json", json.dumps(rows).encode())

    def _ensembled(self, candidate: Candidate) -> dict[str, str]:
        members = [
            (i, each)
            for i, each in enumerate(self._children)
            if each[2] is not None and "Ensemble" not in each[1].algorithm
        ]
        if "Ensemble" not in candidate.algorithm or not members:
            return {}
        total = sum(range(1, len(members) + 1))
        weights = [(len(members) - place) / total for place in range(len(members))]
        return {
            "ensembled_iterations": str([i for i, _ in members]),
            "ensembled_run_ids": str([run_id for _, (run_id, _, _) in members]),
            "ensembled_algorithms": str([each.algorithm for _, (_, each, _) in members]),
            "ensemble_weights": str(weights),
        }

    def _explain(self) -> None:
        scored = [(score, run_id) for run_id, _, score in self._children if score is not None]
        smaller = metric_goal(self.settings.primary_metric) == "minimize"
        best = (min if smaller else max)(scored)[1]
        numbers = [column.name for column in self.contract.columns]
        engineered = [
            (f"{column.name}_{category}", 0.5 / (place + 1))
            for column in self.contract.columns
            for place, category in enumerate(column.categories or ("MeanImputer",))
        ]
        document = {
            "method": "LightGBM surrogate of the model's log-odds, mean absolute SHAP value",
            "raw": [(name, 1 / (place + 1)) for place, name in enumerate(numbers)],
            "engineered": sorted(engineered, key=lambda each: -each[1]),
            "fidelity": 0.99,
            "row_count": 2000,
        }
        self.journal.write(best, "explanation/global.json", json.dumps(document).encode())
        self.journal.describe(best, tags={"model_explanation": "True"})
        self.journal.describe(self.parent, tags={"model_explain_best_run_child_id": best})


Outcome = tuple[dict[str, float], dict[str, Any]]


@cache
def _classified(candidate: Candidate, classes: tuple[str, ...]) -> Outcome:
    """Metrics and tables of rows scored by somebody with that much skill."""
    import numpy as np

    from services.local.automl import chart_tables, metrics

    if candidate.failure:
        return {}, {}
    draw = random.Random(7)
    truth = np.array([min(int(draw.random() * 1.25), 1) for _ in range(ROW_COUNT)])
    truth = truth * np.array([draw.randrange(1, len(classes)) for _ in range(ROW_COUNT)])
    score = np.array([[draw.gauss(0, 1.3) for _ in classes] for _ in truth])
    score[np.arange(ROW_COUNT), truth] += candidate.skill
    odds = np.exp(score)
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return metrics.classification(truth, probabilities), {
        "confusion_matrix": chart_tables.confusion_matrix(truth, probabilities, classes),
        "accuracy_table": chart_tables.accuracy_table(truth, probabilities, classes),
    }


@cache
def _predicted(candidate: Candidate) -> Outcome:
    import numpy as np

    from services.local.automl import chart_tables, metrics

    draw = random.Random(7)
    truth = np.array([draw.uniform(50, 250) for _ in range(ROW_COUNT)])
    predicted = truth + np.array([draw.gauss(0, 60 / candidate.skill) for _ in truth])
    span = float(truth.min()), float(truth.max())
    return metrics.regression(truth, predicted, span=span), {
        "residuals": chart_tables.residuals(truth, predicted, deviation=float(truth.std())),
        "predicted_true": chart_tables.predicted_true(truth, predicted, span=span),
    }


@cache
def _pickled(contract: DataContract) -> bytes:
    """A real pipeline that scores rows of the contract, fitted to its example row."""
    import pickle

    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    frame = pd.DataFrame([data_contract.example_row(contract)] * 40)
    text = [each.name for each in contract.columns if each.type is ColumnType.STRING]
    numbers = [each.name for each in contract.columns if each.type is not ColumnType.STRING]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    steps = [
        (
            "encode",
            ColumnTransformer([("text", encoder, text), ("numbers", "passthrough", numbers)]),
        ),
        ("model", LogisticRegression()),
    ]
    label = [contract.classes[i % len(contract.classes)] for i in range(len(frame))]
    return pickle.dumps(Pipeline(steps).fit(frame, label))
