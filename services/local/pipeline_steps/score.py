"""The score step: every row of a dataset through a registered model, chunk by chunk."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.data_contract import RowChecker
from services.domain import DataContract, split_id
from services.errors import InvalidRequestError, OperationFailedError
from services.local.datasets import LocalDatasets
from services.local.models import MODEL_FILE, LocalModels
from services.local.pipeline_steps.context import StepContext
from services.local.serving import frames

if TYPE_CHECKING:
    import pandas as pd

ADDED = ("prediction", "probability", "error")
FAILURES_TOLD = 20  # in the log; the output names every one


@dataclass(slots=True)
class Scored:
    """What became of one row; of the three, `error` stands alone."""

    prediction: Any = None
    probability: float | None = None  # of the predicted class
    error: str | None = None


def act(context: StepContext) -> None:
    """Score the dataset and keep the rows with their predictions, or why they have none.

    Raises:
        InvalidRequestError: the dataset lacks a column the model needs.
        OperationFailedError: not a single row could be scored.
    """
    scorer = Scorer.of(context)
    rows = LocalDatasets(context.home, context.store).frame(
        *split_id("dataset", context.results.dataset_id)
    )
    scorer.check_columns(rows, context.results.dataset_id)
    done, failures = 0, Failures(context)
    context.journal.progress(context.run_id, total=len(rows), done=0, failed=0)
    for number, chunk in enumerate(_chunks(rows, int(context.values["chunk_rows"]))):
        scored = scorer.score(chunk)
        _write(chunk, scored, _part(context, number))
        failures.add(chunk.index, scored)
        done = done + len(scored) - sum(1 for each in scored if each.error)
        context.journal.progress(context.run_id, total=len(rows), done=done, failed=failures.count)
    if failures.count and not done:
        raise OperationFailedError(
            f"None of the {len(rows):,} rows could be scored; the first: {failures.first}"
        )
    context.say(f"Scored {done:,} of {len(rows):,} rows; {failures.count:,} failed")


def _chunks(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    return (rows.iloc[start : start + size] for start in range(0, len(rows), size))


def _part(context: StepContext, number: int) -> Path:
    folder = context.journal.output(context.run_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"part-{number:06}.parquet"


class Failures:
    """Counts rows without a prediction and names the first of them in the log."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self.count = 0
        self.first = ""

    def add(self, places: Iterable[int], scored: Sequence[Scored]) -> None:
        for place, answer in zip(places, scored, strict=True):
            if answer.error is None:
                continue
            self.count += 1
            self.first = self.first or answer.error
            if self.count <= FAILURES_TOLD:
                self._context.say(f"  row {place + 1}: {answer.error}")
            elif self.count == FAILURES_TOLD + 1:
                self._context.say("  further failed rows are named in the output only")


class Scorer:
    """A registered model and the rules for its rows, as a deployment would apply them."""

    def __init__(self, estimator: Any, contract: DataContract) -> None:
        self._estimator = estimator
        self._contract = contract
        self._checker = RowChecker(contract)

    @classmethod
    def of(cls, context: StepContext) -> Scorer:
        models = LocalModels(context.home, context.store)
        name, version = split_id("model", context.results.model_id)
        with (models.folder(name, version) / MODEL_FILE).open("rb") as file:
            estimator = pickle.load(file)
        return cls(estimator, models.contract(context.results.model_id))

    def check_columns(self, rows: pd.DataFrame, dataset_id: str) -> None:
        missing = [each.name for each in self._contract.columns if each.name not in rows]
        if missing:
            raise InvalidRequestError(
                f"The dataset {dataset_id} has no column {', '.join(f'“{n}”' for n in missing)},"
                " which the model needs."
            )

    def score(self, chunk: pd.DataFrame) -> list[Scored]:
        """One answer per row, in order."""
        scored = [Scored() for _ in range(len(chunk))]
        accepted: list[tuple[Scored, dict[str, Any]]] = []
        for answer, row in zip(scored, chunk.to_dict("records"), strict=True):
            try:
                accepted.append((answer, self._checker.conform(row)))
            except InvalidRequestError as error:
                answer.error = str(error)
        self._predict(accepted)
        return scored

    def _predict(self, rows: Sequence[tuple[Scored, dict[str, Any]]]) -> None:
        """Fill in predictions; a row the model cannot take does not cost the others theirs."""
        if not rows:
            return
        frame = frames.frame(self._contract, [row for _, row in rows])
        try:
            predictions = self._estimator.predict(frame).tolist()
            probabilities = self._probabilities(frame)
        except Exception as error:  # the model's own code may raise anything
            if len(rows) == 1:
                rows[0][
                    0
                ].error = f"The model could not score it ({type(error).__name__}: {error})."
                return
            middle = len(rows) // 2
            self._predict(rows[:middle])
            self._predict(rows[middle:])
            return
        for (answer, _), prediction, probability in zip(
            rows, predictions, probabilities, strict=True
        ):
            answer.prediction, answer.probability = prediction, probability

    def _probabilities(self, frame: pd.DataFrame) -> Sequence[float | None]:
        if not hasattr(self._estimator, "predict_proba"):
            return [None] * len(frame)
        highest: Sequence[float] = self._estimator.predict_proba(frame).max(axis=1).tolist()
        return highest


def _write(chunk: pd.DataFrame, scored: Sequence[Scored], path: Path) -> None:
    """Keep a chunk; a reader never sees half of one."""
    import pandas as pd

    added = {
        name: pd.Series([getattr(each, name) for each in scored], index=chunk.index, dtype=dtype)
        for name, dtype in zip(ADDED, ("object", "float64", "str"), strict=True)
    }
    theirs = chunk.rename(columns={name: f"input.{name}" for name in ADDED})
    whole = theirs.assign(**added | {"prediction": added["prediction"].convert_dtypes()})
    draft = path.with_suffix(".part")
    whole.to_parquet(draft, index=False)
    draft.replace(path)
