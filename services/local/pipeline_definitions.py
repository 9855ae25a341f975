"""The two pipelines this workspace can publish: their steps and their parameters. Pure.

A published pipeline keeps defaults for its parameters and *fixed* settings that no
submission changes. Values are text, as the SDK sends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from services.domain import (
    PRIMARY_METRICS,
    AutoMLSettings,
    GraphNode,
    PipelineGraph,
    PipelineKind,
    Task,
    check_asset_name,
)
from services.errors import InvalidRequestError
from services.ports import BatchInferencePlan, RetrainingPlan

LATEST = "latest"

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parameter:
    description: str
    check: Callable[[str], None]  # raises InvalidRequestError with what would be accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One kind of pipeline. Its steps run in the order of the nodes."""

    graph: PipelineGraph
    parameters: Mapping[str, Parameter]


def definition(kind: PipelineKind) -> Definition:
    return _DEFINITIONS[kind]


def retraining(plan: RetrainingPlan) -> tuple[dict[str, str], dict[str, Any]]:
    """Parameter defaults and fixed settings of a retraining pipeline."""
    settings = plan.settings
    name, _, version = settings.dataset_id.rpartition(":")
    defaults = {
        "dataset": f"{name}:{LATEST if plan.use_latest_dataset else version}",
        "label_column_name": settings.label_column_name,
        "primary_metric": settings.primary_metric,
        "experiment_timeout_minutes": f"{settings.experiment_timeout_minutes:g}",
        "max_concurrent_iterations": str(settings.max_concurrent_iterations),
        "enable_early_stopping": str(settings.enable_early_stopping).lower(),
        "model_name": plan.model_name,
    }
    changed = {*defaults, "dataset_id"}
    fixed = {name: value for name, value in asdict(settings).items() if name not in changed}
    return defaults, fixed


def batch_inference(plan: BatchInferencePlan) -> tuple[dict[str, str], dict[str, Any]]:
    """Parameter defaults and fixed settings of a batch-inference pipeline."""
    defaults = {
        "dataset": plan.dataset_id,
        "model": plan.model_id,
        "chunk_rows": str(plan.chunk_rows),
    }
    return defaults, {}


def merged(
    kind: PipelineKind, fixed: Mapping[str, Any], defaults: Values, given: Values
) -> dict[str, str]:
    """Every parameter with the value a submission means.

    Raises:
        InvalidRequestError: a parameter is unknown, or its value cannot be used.
    """
    known = definition(kind).parameters
    for name in given:
        if name not in known:
            raise InvalidRequestError(
                f"The pipeline has no parameter “{name}”; it has {', '.join(known)}."
            )
    values = {name: given.get(name, default).strip() for name, default in defaults.items()}
    for name, value in values.items():
        check = known[name].check
        if name == "primary_metric":
            check = _one_of(PRIMARY_METRICS[Task(fixed["task"])])
        try:
            check(value)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"The parameter “{name}”: {error}") from error
    return values


def automl_settings(
    values: Values, fixed: Mapping[str, Any], *, experiment: str, dataset_id: str
) -> AutoMLSettings:
    """What the automl_module step starts, from values that `merged` accepted."""
    return AutoMLSettings(
        **{
            **fixed,
            "task": Task(fixed["task"]),
            "experiment": experiment,
            "dataset_id": dataset_id,
            "label_column_name": values["label_column_name"],
            "primary_metric": values["primary_metric"],
            "experiment_timeout_minutes": float(values["experiment_timeout_minutes"]),
            "max_concurrent_iterations": int(values["max_concurrent_iterations"]),
            "enable_early_stopping": values["enable_early_stopping"] == "true",
        }
    )


def split_reference(reference: str) -> tuple[str, int | None]:
    """Name and version of ``name:version``; the version of ``name:latest`` is None.

    Raises:
        InvalidRequestError: it is neither.
    """
    name, separator, version = reference.rpartition(":")
    if not separator or not name or not (version == LATEST or version.isdigit()):
        raise InvalidRequestError(
            f"“{reference}” is written name:version, or name:{LATEST} for the newest."
        )
    return name, None if version == LATEST else int(version)


# --- what a value may be ----------------------------------------------------------


def _reference(value: str) -> None:
    split_reference(value)


def _column(value: str) -> None:
    if not value:
        raise InvalidRequestError("a column has a name.")


def _model_name(value: str) -> None:
    if value:
        check_asset_name("model", value)


def _minutes(value: str) -> None:
    if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?", value) or float(value) <= 0:
        raise InvalidRequestError(f"“{value}” is no number of minutes above 0, such as 15 or 0.5.")


def _whole(smallest: int, largest: int) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not re.fullmatch(r"\d{1,9}", value) or not smallest <= int(value) <= largest:
            raise InvalidRequestError(
                f"“{value}” is no whole number from {smallest} to {largest:,}."
            )

    return check


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in allowed:
            raise InvalidRequestError(f"“{value}” is not one of {', '.join(allowed)}.")

    return check


def _nodes(*nodes: tuple[str, str, str]) -> tuple[GraphNode, ...]:
    return tuple(GraphNode(id=each, name=name, kind=kind) for each, name, kind in nodes)


_DEFINITIONS: Mapping[PipelineKind, Definition] = MappingProxyType(
    {
        PipelineKind.RETRAINING: Definition(
            graph=PipelineGraph(
                nodes=_nodes(
                    ("dataset", "Dataset", "dataset"),
                    ("automl_module", "automl_module", "automl_module"),
                    ("register_model", "Register model", "model"),
                ),
                edges=(("dataset", "automl_module"), ("automl_module", "register_model")),
            ),
            parameters={
                "dataset": Parameter("Rows to train on: name:version or name:latest", _reference),
                "label_column_name": Parameter("The column to predict", _column),
                "primary_metric": Parameter("What candidates are ranked by", _column),
                "experiment_timeout_minutes": Parameter("How long AutoML may search", _minutes),
                "max_concurrent_iterations": Parameter("Candidates at a time", _whole(1, 100)),
                "enable_early_stopping": Parameter(
                    "Stop when candidates no longer improve", _one_of(("true", "false"))
                ),
                "model_name": Parameter(
                    "Register the best model under this name; empty registers nothing", _model_name
                ),
            },
        ),
        PipelineKind.BATCH_INFERENCE: Definition(
            graph=PipelineGraph(
                nodes=_nodes(
                    ("dataset", "Dataset", "dataset"),
                    ("model", "Model", "model"),
                    ("score", "Score", "score"),
                ),
                edges=(("dataset", "score"), ("model", "score")),
            ),
            parameters={
                "dataset": Parameter("Rows to score: name:version or name:latest", _reference),
                "model": Parameter("Model to score with: name:version or name:latest", _reference),
                "chunk_rows": Parameter("Rows scored at a time", _whole(1, 1_000_000)),
            },
        ),
    }
)
