"""Where each asset of a workspace would go in SDK v2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.domain import (
    Dataset,
    Deployment,
    DeploymentState,
    Model,
    PipelineEndpoint,
    PublishedPipeline,
    Schedule,
)
from services.migration.sunset import LEARN


class Effort(StrEnum):
    """How much of a move each asset is."""

    NONE = "stays as it is"
    REGISTER = "register again"
    REBUILD = "build anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One asset, and what becomes of it."""

    kind: str  # "Deployment"
    name: str
    target: str  # SDK v2's noun
    effort: Effort
    note: str
    action: str  # of `services.migration.actions`, for the code
    source: str


def moves(
    *,
    datasets: Sequence[Dataset],
    models: Sequence[Model],
    deployments: Sequence[Deployment],
    pipelines: Sequence[PublishedPipeline],
    endpoints: Sequence[PipelineEndpoint],
    schedules: Sequence[Schedule],
) -> tuple[Move, ...]:
    """What becomes of each of them, in the order of the flow."""
    return (
        *map(_dataset, datasets),
        *map(_model, models),
        *map(_deployment, deployments),
        *map(_pipeline, pipelines),
        *map(_endpoint, endpoints),
        *map(_schedule, schedules),
    )


def _dataset(dataset: Dataset) -> Move:
    return Move(
        kind="Dataset",
        name=dataset.id,
        target="Data asset (MLTable)",
        effort=Effort.REGISTER,
        note="AutoML of v2 reads MLTable only; for everything else a URI file will do.",
        action="dataset.register",
        source=f"{LEARN}/migrate-to-v2-assets-data",
    )


def _model(model: Model) -> Move:
    return Move(
        kind="Model",
        name=model.id,
        target="Model",
        effort=Effort.NONE,
        note="v2 sees models registered by v1. Registered in MLflow's format, "
        "one deploys without a scoring script.",
        action="model.register",
        source=f"{LEARN}/migrate-to-v2-assets-model",
    )


def _deployment(deployment: Deployment) -> Move:
    failed = deployment.state is DeploymentState.FAILED
    return Move(
        kind="Deployment",
        name=deployment.name,
        target="Managed online endpoint with one deployment",
        effort=Effort.REBUILD,
        note="It does not serve today: delete it instead of moving it."
        if failed
        else "New address and new keys: move the callers, then delete this one.",
        action="deployment.create",
        source=f"{LEARN}/migrate-to-v2-deploy-endpoints",
    )


def _pipeline(pipeline: PublishedPipeline) -> Move:
    return Move(
        kind="Published pipeline",
        name=pipeline.name,
        target="Pipeline component deployment of a batch endpoint",
        effort=Effort.REBUILD,
        note="Steps become components; its parameters become the job's inputs.",
        action="pipeline.publish",
        source=f"{LEARN}/migrate-to-v2-deploy-pipelines",
    )


def _endpoint(endpoint: PipelineEndpoint) -> Move:
    return Move(
        kind="Pipeline endpoint",
        name=endpoint.name,
        target="Batch endpoint",
        effort=Effort.REBUILD,
        note="Versions become deployments; the default version becomes the default deployment.",
        action="pipeline_endpoint.create",
        source=f"{LEARN}/migrate-to-v2-deploy-pipelines",
    )


def _schedule(schedule: Schedule) -> Move:
    return Move(
        kind="Schedule",
        name=schedule.name,
        target="Job schedule",
        effort=Effort.REBUILD,
        note="It starts a job and needs no published pipeline. Disable this one first, "
        "or both will run.",
        action="schedule.create",
        source=f"{LEARN}/how-to-schedule-pipeline-job",
    )
