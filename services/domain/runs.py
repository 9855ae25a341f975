"""Experiments, their runs, and how a model was searched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


class RunStatus(StrEnum):
    """Azure's own words.

    Source: azureml-core 1.61.0, ``azureml._restclient.constants.RunStatus``.
    """

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    CANCEL_REQUESTED = "CancelRequested"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    PAUSED = "Paused"
    UNKNOWN = "Unknown"  # a word we have not met; the adapter logs it

    @property
    def settled(self) -> bool:
        return self in _SETTLED_RUNS


_SETTLED_RUNS = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED})


class RunKind(StrEnum):
    AUTOML = "automl"
    AUTOML_CHILD = "automl child"
    PIPELINE = "pipeline"
    STEP = "step"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A named container of runs."""

    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One trial: status, score, and where its metrics, logs and files are found."""

    id: str
    experiment: str
    number: int
    kind: RunKind
    display_name: str  # a child's algorithm as Azure names it: "MaxAbsScaler, LightGBM"
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parent_id: str | None = None
    primary_metric: str | None = None
    score: float | None = None  # of the primary metric; a parent has its best child's
    best_child_id: str | None = None  # parents only
    error: str = ""  # one sentence, when Failed
    dataset_id: str | None = None  # "name:version" it was trained on
    properties: Mapping[str, str] = field(default_factory=dict)  # Azure's names
    tags: Mapping[str, str] = field(default_factory=dict)

    def duration(self, now: datetime) -> timedelta | None:
        """How long it has been running, or ran. None before it started."""
        return (self.ended_at or now) - self.started_at if self.started_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The pinned run of an experiment: the one every other run is held against."""

    experiment: str
    run_id: str
    pinned_at: datetime


class Task(StrEnum):
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class MetricGoal(StrEnum):
    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


PRIMARY_METRICS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.CLASSIFICATION: (
            "AUC_weighted",
            "accuracy",
            "norm_macro_recall",
            "average_precision_score_weighted",
            "precision_score_weighted",
        ),
        Task.REGRESSION: (
            "normalized_root_mean_squared_error",
            "r2_score",
            "spearman_correlation",
            "normalized_mean_absolute_error",
        ),
    }
)


def metric_goal(metric: str) -> MetricGoal:
    """Whether a larger or a smaller value of an Azure metric is the better one."""
    smaller = metric == "log_loss" or "_error" in metric
    return MetricGoal.MINIMIZE if smaller else MetricGoal.MAXIMIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoMLSettings:
    """What to search and for how long; the names are those of Azure's ``AutoMLConfig``."""

    experiment: str
    dataset_id: str  # "name:version"
    label_column_name: str
    task: Task = Task.CLASSIFICATION
    primary_metric: str = "AUC_weighted"
    experiment_timeout_minutes: float = 15.0
    max_concurrent_iterations: int = 2
    iterations: int | None = None  # None: as many as the timeout allows
    enable_early_stopping: bool = True
    validation_size: float | None = None  # a fraction; None with n_cross_validations None: auto
    n_cross_validations: int | None = None
    featurization: str = "auto"  # or "off"
    enable_onnx_compatible_models: bool = True
    enable_voting_ensemble: bool = True
    enable_stack_ensemble: bool = True
    model_explainability: bool = True
    seed: int = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleMember:
    run_id: str
    algorithm: str
    weight: float  # the weights of one ensemble sum to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Global feature importance, largest first."""

    method: str  # how it was computed, for people
    raw: tuple[tuple[str, float], ...]
    engineered: tuple[tuple[str, float], ...]
    fidelity: float | None = None  # R² of a surrogate against the model
    row_count: int | None = None  # how many rows were explained
