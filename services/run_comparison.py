"""Runs side by side: in what they differ, and by how much from a baseline (pure).

Everything is read from the records and metrics at hand, so that two hundred runs cost two
questions and not two hundred.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.domain import MetricGoal, Run, RunKind, metric_goal

Metrics = Mapping[str, Mapping[str, float]]  # run id → metric → value

TEXT_LIMIT = 120  # characters of a value that a table shows


class Group(StrEnum):
    """Where a value comes from, in the order an operator asks."""

    SCORE = "Score"
    METRIC = "Metric"
    RUN = "Run"
    SETTING = "Setting"
    PARAMETER = "Parameter"
    TAG = "Tag"
    PROPERTY = "Property"
    LIBRARY = "Library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value of every compared run."""

    group: Group
    name: str
    values: tuple[Any, ...]  # in the runs' order: float, text, or None where a run has none
    differs: bool

    @property
    def is_metric(self) -> bool:
        return self.group in (Group.SCORE, Group.METRIC)


# Azure's bookkeeping: different in every run, or shown as something else here.
_UNTOLD = frozenset(
    {
        *("AMLSettingsJsonString", "pipeline_spec", "pipeline_id", "dependencies_versions"),
        *("fold_scores", "naive_baseline", "iteration", "goal", "primary_metric", "runTemplate"),
        *("run_algorithm", "run_preprocessor", "azureml.runsource", "model_output_path"),
        *("ensembled_run_ids", "ensembled_iterations", "best_individual_iteration"),
        *("fit_time", "display_task_type", "num_iterations", "ContentSnapshotId", "_azureml.Comp"),
        *("automl_best_child_run_id", "model_explain_best_run_child_id", "model_explain_run"),
        *("num_cross_validation", "train_split", "mlflow.source.git.repoURL"),
    }
)


def metric_ids(runs: Sequence[Run]) -> tuple[str, ...]:
    """Whose metrics stand for each run: a parent's are those of its best child."""
    return tuple(dict.fromkeys(metric_id(run) for run in runs))


def metric_id(run: Run) -> str:
    return run.best_child_id or run.id


def lines(runs: Sequence[Run], metrics: Metrics) -> tuple[Line, ...]:
    """Every value of every run, those that differ first, then by group and name.

    Args:
        metrics: of `metric_ids`; a metric a run lacks stays missing.
    """
    columns = [_values(run, metrics.get(metric_id(run), {})) for run in runs]
    keys = dict.fromkeys(key for column in columns for key in column)
    found = []
    for group, name in keys:
        values = tuple(column.get((group, name)) for column in columns)
        found.append(Line(group=group, name=name, values=values, differs=_differ(values)))
    order = list(Group)
    return tuple(
        sorted(
            found,
            key=lambda line: (not line.differs, order.index(line.group), line.name.casefold()),
        )
    )


def delta(value: float | None, baseline: float | None) -> float | None:
    """How far a value lies from the baseline's, in the metric's own unit and direction."""
    return None if value is None or baseline is None else value - baseline


def improves(metric: str, change: float) -> bool | None:
    """Whether the change is for the better; None when there is none."""
    if change == 0:
        return None
    return (change > 0) is (metric_goal(metric) is MetricGoal.MAXIMIZE)


def ordered(
    runs: Sequence[Run],
    *,
    by: str,
    metrics: Metrics,
    baseline_ids: frozenset[str] = frozenset(),
) -> tuple[Run, ...]:
    """The runs in the order asked for, pinned baselines always first.

    Args:
        by: a metric's name: best first, those without it last; anything else: newest first.
    """
    newest = sorted(runs, key=lambda run: run.created_at, reverse=True)
    known = [(run, value) for run in newest if (value := score(run, by, metrics)) is not None]
    if known:
        best_first = metric_goal(by) is MetricGoal.MAXIMIZE
        known.sort(key=lambda pair: -pair[1] if best_first else pair[1])
        placed = {run.id for run, _ in known}
        newest = [run for run, _ in known] + [run for run in newest if run.id not in placed]
    return tuple(sorted(newest, key=lambda run: run.id not in baseline_ids))


def score(run: Run, metric: str, metrics: Metrics) -> float | None:
    """A metric of a run: what it was ranked by where that is known, else what it logged."""
    if metric == run.primary_metric and run.score is not None:
        return run.score
    return metrics.get(metric_id(run), {}).get(metric)


def metric_names(runs: Sequence[Run], metrics: Metrics) -> tuple[str, ...]:
    """Every metric any of the runs has: what they were ranked by first, then by name."""
    primary = dict.fromkeys(run.primary_metric for run in runs if run.primary_metric)
    logged = {name for run in runs for name in metrics.get(metric_id(run), {})}
    rest = sorted(logged - primary.keys(), key=str.casefold)
    return tuple(primary) + tuple(rest)


def _differ(values: Sequence[Any]) -> bool:
    first = values[0] if values else None
    return any(value != first for value in values)


def _values(run: Run, metrics: Mapping[str, float]) -> dict[tuple[Group, str], Any]:
    found: dict[tuple[Group, str], Any] = {}
    if run.primary_metric and run.score is not None:
        found[Group.SCORE, run.primary_metric] = run.score
    for name, value in metrics.items():
        if (Group.SCORE, name) not in found or found[Group.SCORE, name] != value:
            found[Group.METRIC, name] = value
    properties = run.properties
    facts = {
        "Status": run.status.value,
        "Dataset": run.dataset_id,
        "Algorithm": _algorithm(run),
        "Preprocessor": properties.get("run_preprocessor"),
        "Reason": run.error,
    }
    found |= {(Group.RUN, name): text for name, text in facts.items() if text}
    found |= {(Group.SETTING, key): _text(value) for key, value in _settings(properties)}
    found |= {(Group.PARAMETER, key): _text(value) for key, value in _parameters(properties)}
    found |= {
        (Group.TAG, key): _text(value) for key, value in run.tags.items() if key not in _UNTOLD
    }
    versions = _read(properties.get("dependencies_versions"), dict)
    found |= {(Group.LIBRARY, str(key)): _text(value) for key, value in versions.items()}
    found |= {
        (Group.PROPERTY, key): _text(value)
        for key, value in properties.items()
        if key not in _UNTOLD and value
    }
    return found


def _algorithm(run: Run) -> str | None:
    named = run.properties.get("run_algorithm")
    return named or (run.display_name if run.kind is RunKind.AUTOML_CHILD else None)


def _settings(properties: Mapping[str, str]) -> list[tuple[str, Any]]:
    settings = _read(properties.get("AMLSettingsJsonString"), dict)
    return [(key, value) for key, value in settings.items() if value is not None]


def _parameters(properties: Mapping[str, str]) -> list[tuple[str, Any]]:
    objects = _read(properties.get("pipeline_spec"), dict).get("objects", [])
    return [
        (str(name), value)
        for each in objects
        if isinstance(each, dict) and isinstance(each.get("param_kwargs"), dict)
        for name, value in each["param_kwargs"].items()
    ]


def _read(text: str | None, kind: type[dict[str, Any]]) -> dict[str, Any]:
    """JSON somebody else wrote; what is not the object it should be tells nothing."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, kind) else {}


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"
