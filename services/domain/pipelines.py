"""Published pipelines, endpoints and runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.domain.runs import RunStatus


class AssetStatus(StrEnum):
    """Of a published pipeline, a pipeline endpoint or a schedule."""

    ACTIVE = "Active"
    DISABLED = "Disabled"
    UNKNOWN = "Unknown"  # a word we have not met, or a description that cannot be read


class PipelineKind(StrEnum):
    RETRAINING = "retraining"
    BATCH_INFERENCE = "batch inference"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParameter:
    name: str
    default: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    id: str
    name: str
    kind: str  # "dataset", "automl_module", "model", "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineGraph:
    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[str, str], ...]  # from node id to node id


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPipeline:
    """A pipeline that can be submitted without the code that built it."""

    id: str
    name: str
    version: str
    status: AssetStatus
    endpoint: str  # the REST address that submits it; a path alone is on this dashboard's own
    created_at: datetime | None
    kind: PipelineKind = PipelineKind.OTHER
    description: str = ""
    parameters: tuple[PipelineParameter, ...] = ()
    experiment: str = ""  # suggested for its runs, where the back end keeps a suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineEndpoint:
    """A stable, named address in front of successive published pipelines."""

    id: str
    name: str
    status: AssetStatus
    endpoint: str
    default_version: str
    versions: Mapping[str, str]  # version → published pipeline id
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """How far a batch inference has come. ``done + failed`` never exceeds ``total``."""

    total_count: int
    done_count: int
    failed_count: int
    last_progress_at: datetime | None

    @property
    def left_count(self) -> int:
        return self.total_count - self.done_count - self.failed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun:
    """One submission of a published pipeline."""

    id: str
    pipeline_id: str
    experiment: str
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    schedule_id: str | None = None
    run_source: str = ""  # "Dashboard", "REST", "Schedule", "SDK"
    parameters: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    training_run_id: str | None = None  # the AutoML parent it started
    model_id: str | None = None  # what it registered, or scored with
    batch: BatchProgress | None = None
    retry_of: str | None = None  # the failed run it repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a pipeline run."""

    id: str
    node_id: str
    name: str
    status: RunStatus
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
