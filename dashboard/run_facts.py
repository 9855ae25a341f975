"""What the view of one run needs to know, gathered with as few questions as possible."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dashboard import readings, reads, session, side_by_side
from dashboard.readings import Data
from services import leaderboard, naive_baseline, run_tables
from services.domain import AutoMLSettings, Run, RunKind, Task, split_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    run: Run
    children: tuple[Run, ...]
    settings: AutoMLSettings | None  # of AutoML parents
    naive: Mapping[str, float]  # metric → what knowing nothing scores; empty until it is known
    previous: Run | None  # the last completed run of the same experiment and metric
    chosen_on: str = ""  # which rows ranked the candidates, in words; empty where nobody said
    reported_on: str = ""  # which rows metrics and charts are about

    @property
    def naive_score(self) -> float | None:
        return self.naive.get(self.run.primary_metric or "")

    def child(self, run_id: str | None) -> Run | None:
        return next((child for child in self.children if child.id == run_id), None)

    @property
    def ranked_elsewhere(self) -> bool:
        """Candidates were ranked on other rows than their metrics are reported on."""
        return bool(self.chosen_on and self.reported_on) and self.chosen_on != self.reported_on

    @property
    def best(self) -> Run | None:
        return self.child(self.run.best_child_id)


def gather(run: Run) -> RunFacts:
    """Everything about a run but its files."""
    asked: list[Callable[[], object]] = [
        partial(reads.child_runs, run.id),
        partial(reads.runs, run.experiment),
    ]
    if run.kind is RunKind.AUTOML:
        asked.append(partial(reads.automl_settings, run.id))
    side_by_side.ahead(*asked)
    children = reads.child_runs(run.id)
    settings = reads.automl_settings(run.id) if run.kind is RunKind.AUTOML else None
    return RunFacts(
        run=run,
        children=children,
        settings=settings,
        naive=_noted(run) or _naive(settings, children),
        previous=leaderboard.previous_best(run, reads.runs(run.experiment)),
        chosen_on=run.properties.get("validation_chosen", ""),
        reported_on=run.properties.get("validation_reported", ""),
    )


def _noted(run: Run) -> Mapping[str, float]:
    """The baseline the search wrote down itself, if it did."""
    noted: Mapping[str, float] = json.loads(run.properties.get("naive_baseline", "{}"))
    return noted


def _naive(settings: AutoMLSettings | None, children: Sequence[Run]) -> Mapping[str, float]:
    scored = leaderboard.children_with_score(children)
    if settings is None or not scored:
        return {}
    if settings.task is Task.REGRESSION and session.workspace().backend != "local":
        return {}  # a label's spread is in the rows, which would have to be fetched
    reading = readings.take(
        lambda: (
            _of_regression(settings)
            if settings.task is Task.REGRESSION
            else _of_classification(scored[0].id)
        ),
        identity=(session.workspace().location, "naive", scored[0].id),
        is_empty=lambda found: not found,
    )
    return reading.value if isinstance(reading, Data) else {}  # no baseline is no failure


def _of_classification(child_id: str) -> Mapping[str, float]:
    matrix = run_tables.confusion_matrix(reads.run_table(child_id, "confusion_matrix"))
    return naive_baseline.classification(matrix.class_counts)


def _of_regression(settings: AutoMLSettings) -> Mapping[str, float]:
    label = reads.profile(*split_id("dataset", settings.dataset_id)).column(
        settings.label_column_name
    )
    if not isinstance(label.minimum, float | int) or not isinstance(label.maximum, float | int):
        return {}
    if label.standard_deviation is None:
        return {}
    return naive_baseline.regression(
        standard_deviation=label.standard_deviation,
        minimum=float(label.minimum),
        maximum=float(label.maximum),
    )
