"""What an AutoML parent was started with, out of its properties. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.azure.run_records import settings_of
from services.domain import AutoMLSettings, Run, Task

AS_MANY_AS_FIT = 1000  # iterations AutoML allows where nobody says how many


def automl_settings(run: Run) -> AutoMLSettings:
    """The settings in our words; what Azure does not keep has its default.

    Raises:
        ValueError, KeyError: the run does not say.
    """
    found = settings_of(run.properties)
    iterations = _whole(found.get("iterations"))
    plain = AutoMLSettings(
        experiment=run.experiment,
        dataset_id=run.dataset_id or "",
        label_column_name=str(found["label_column_name"]),
        task=Task(str(found.get("task_type") or run.properties.get("display_task_type"))),
        primary_metric=str(found.get("primary_metric") or run.primary_metric or ""),
    )
    return AutoMLSettings(
        experiment=plain.experiment,
        dataset_id=plain.dataset_id,
        label_column_name=plain.label_column_name,
        task=plain.task,
        primary_metric=plain.primary_metric,
        experiment_timeout_minutes=float(
            found.get("experiment_timeout_minutes") or plain.experiment_timeout_minutes
        ),
        max_concurrent_iterations=_whole(found.get("max_concurrent_iterations")) or 1,
        iterations=None if iterations in (None, AS_MANY_AS_FIT) else iterations,
        enable_early_stopping=_flag(found, "enable_early_stopping"),
        validation_size=float(found.get("validation_size") or 0) or None,
        n_cross_validations=_whole(found.get("n_cross_validations")),
        featurization="off" if found.get("featurization") == "off" else "auto",
        enable_onnx_compatible_models=_flag(found, "enable_onnx_compatible_models"),
        enable_voting_ensemble=_flag(found, "enable_ensembling", "enable_voting_ensemble"),
        enable_stack_ensemble=_flag(found, "enable_stack_ensembling", "enable_stack_ensemble"),
        model_explainability=_flag(found, "model_explainability"),
    )


def _flag(found: Mapping[str, Any], *names: str) -> bool:
    """The first of these names that is there; AutoML's own default is yes."""
    return next((bool(found[name]) for name in names if found.get(name) is not None), True)


def _whole(value: Any) -> int | None:
    """A number of folds may be the word “auto”."""
    try:
        return int(value) if value else None
    except ValueError:
        return None
