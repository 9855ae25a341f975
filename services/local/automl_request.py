"""Which AutoML settings can be searched, and how a parent run records them."""

from __future__ import annotations

import json
from dataclasses import replace

from services.domain import (
    PRIMARY_METRICS,
    AutoMLSettings,
    ColumnProfile,
    ColumnType,
    DatasetProfile,
    Task,
    check_asset_name,
    metric_goal,
    split_id,
)
from services.errors import InvalidRequestError
from services.ports import Datasets

MIN_ROWS = 50  # Azure AutoML refuses fewer
MAX_CLASSES = 200  # a label with more values is a quantity, a key or free text
MIN_TIMEOUT_MINUTES = 0.1


def checked(settings: AutoMLSettings, datasets: Datasets) -> AutoMLSettings:
    """The settings as they will be run, with the dataset's version spelled out.

    Raises:
        InvalidRequestError: they contradict each other or the dataset.
        NotFoundError: the dataset is not registered.
    """
    _check_alone(settings)
    name, version = split_id("dataset", settings.dataset_id)
    dataset = datasets.get(name, version)
    _check_against(settings, datasets.profile(name, version))
    return replace(settings, dataset_id=dataset.id)


def _check_alone(settings: AutoMLSettings) -> None:
    check_asset_name("experiment", settings.experiment)
    metrics = PRIMARY_METRICS[settings.task]
    _demand(
        settings.primary_metric in metrics,
        f"“{settings.primary_metric}” cannot rank a {settings.task} run; "
        f"choose one of {', '.join(metrics)}.",
    )
    _demand(
        settings.experiment_timeout_minutes >= MIN_TIMEOUT_MINUTES,
        f"The experiment timeout must be at least {MIN_TIMEOUT_MINUTES} minutes.",
    )
    _demand(
        settings.max_concurrent_iterations >= 1,
        "At least one iteration must be allowed to run at a time.",
    )
    _demand(
        settings.iterations is None or settings.iterations >= 1,
        "Allow at least one iteration, or leave their number open.",
    )
    _demand(settings.featurization in ("auto", "off"), "Featurization is either “auto” or “off”.")
    _check_validation(settings)


def _check_validation(settings: AutoMLSettings) -> None:
    size, folds = settings.validation_size, settings.n_cross_validations
    _demand(
        size is None or folds is None,
        "Choose a validation fraction or a number of folds, not both.",
    )
    _demand(
        size is None or 0.01 <= size <= 0.9,
        "The validation fraction must lie between 0.01 and 0.9.",
    )
    _demand(folds is None or 2 <= folds <= 20, "Cross-validation takes 2 to 20 folds.")


def _check_against(settings: AutoMLSettings, profile: DatasetProfile) -> None:
    names = [column.name for column in profile.columns]
    _demand(
        settings.label_column_name in names,
        f"The dataset has no column “{settings.label_column_name}” to predict; "
        f"it has {_listed(names)}.",
    )
    _demand(len(names) > 1, "The dataset has no column besides the label to learn from.")
    label = profile.column(settings.label_column_name)
    known = profile.row_count - label.missing_count
    _demand(
        known >= MIN_ROWS,
        f"AutoML needs at least {MIN_ROWS} rows with a label; {settings.dataset_id} has {known}.",
    )
    _demand(
        label.distinct_count > 1,
        f"Every row has the same “{label.name}”, so there is nothing to learn; "
        "choose another label column.",
    )
    folds = settings.n_cross_validations
    _demand(
        folds is None or folds <= known // 2,
        f"{folds} folds are too many for {known} rows.",
    )
    if settings.task is Task.REGRESSION:
        _check_quantity(label)
    else:
        _check_classes(label)


def _check_quantity(label: ColumnProfile) -> None:
    _demand(
        label.type in (ColumnType.INTEGER, ColumnType.NUMBER),
        f"Regression predicts a number, but “{label.name}” is a {label.type} column; "
        "choose classification or another label.",
    )


def _check_classes(label: ColumnProfile) -> None:
    _demand(
        label.distinct_count <= MAX_CLASSES,
        f"“{label.name}” has {label.distinct_count} different values; classification takes at "
        f"most {MAX_CLASSES}. Choose another label, or regression for a quantity.",
    )
    _demand(
        label.type is not ColumnType.DATETIME,
        f"“{label.name}” is a date; choose another label column.",
    )


def parent_properties(settings: AutoMLSettings) -> dict[str, str]:
    """What Azure AutoML writes on a parent run, under its names."""
    goal = metric_goal(settings.primary_metric)
    azure = {
        "task_type": settings.task.value,
        "primary_metric": settings.primary_metric,
        "metric_operation": goal.value,
        "label_column_name": settings.label_column_name,
        "iterations": settings.iterations or 1000,
        "experiment_timeout_minutes": settings.experiment_timeout_minutes,
        "max_concurrent_iterations": settings.max_concurrent_iterations,
        "enable_early_stopping": settings.enable_early_stopping,
        "validation_size": settings.validation_size,
        "n_cross_validations": settings.n_cross_validations,
        "featurization": settings.featurization,
        "enable_onnx_compatible_models": settings.enable_onnx_compatible_models,
        "enable_voting_ensemble": settings.enable_voting_ensemble,
        "enable_stack_ensemble": settings.enable_stack_ensemble,
        "model_explainability": settings.model_explainability,
    }
    return {
        "azureml.runsource": "automl",
        "runTemplate": "AutoML",
        "target": "local",
        "display_task_type": settings.task.value,
        "primary_metric": settings.primary_metric,
        "num_iterations": str(settings.iterations or 1000),
        "num_cross_validation": str(settings.n_cross_validations or ""),
        "train_split": str(settings.validation_size or "0"),
        "AMLSettingsJsonString": json.dumps(azure),
    }


def _demand(fulfilled: bool, otherwise: str) -> None:
    if not fulfilled:
        raise InvalidRequestError(otherwise)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
