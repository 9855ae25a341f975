"""What the pipeline pages say about their records. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from services import recurrence as rules
from services.domain import (
    BatchProgress,
    PipelineEndpoint,
    PipelineKind,
    PipelineRun,
    PublishedPipeline,
    Schedule,
    StepRun,
)

IDLE_LIMIT = timedelta(minutes=5)  # without a scored row, a batch inference may be stuck


class Later(Mapping[str, PipelineEndpoint]):
    """Pipeline endpoints by id, asked for when somebody first looks for one."""

    def __init__(self, ask: Callable[[], Iterable[PipelineEndpoint]]) -> None:
        self._ask = ask

    @property
    def known(self) -> bool:
        return "_found" in vars(self)

    @cached_property
    def _found(self) -> Mapping[str, PipelineEndpoint]:
        return {each.id: each for each in self._ask()}

    def __getitem__(self, endpoint_id: str) -> PipelineEndpoint:
        return self._found[endpoint_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Published pipelines and endpoints by id: what schedules and runs point at."""

    pipelines: Mapping[str, PublishedPipeline]
    endpoints: Mapping[str, PipelineEndpoint]

    @classmethod
    def of(
        cls, pipelines: Iterable[PublishedPipeline], endpoints: Iterable[PipelineEndpoint]
    ) -> Catalog:
        return cls(
            {pipeline.id: pipeline for pipeline in pipelines},
            {endpoint.id: endpoint for endpoint in endpoints},
        )

    @classmethod
    def asking(
        cls,
        pipelines: Iterable[PublishedPipeline],
        endpoints: Callable[[], Iterable[PipelineEndpoint]],
    ) -> Catalog:
        """One whose endpoints are asked for only where they matter."""
        return cls({pipeline.id: pipeline for pipeline in pipelines}, Later(endpoints))

    def title(self, pipeline_id: str | None) -> str:
        """``Bank Marketing retraining v2``."""
        pipeline = self.pipelines.get(pipeline_id) if pipeline_id else None
        if pipeline is None:
            return "an unknown pipeline"
        return f"{pipeline.name} v{pipeline.version}" if pipeline.version else pipeline.name

    def target(self, schedule: Schedule, *, named: bool = True) -> str:
        """What a schedule submits, in words.

        Args:
            named: ask for the endpoints, where its name is not known without that.
        """
        if schedule.pipeline_endpoint_id is None:
            return self.title(schedule.pipeline_id)
        if not named and isinstance(self.endpoints, Later) and not self.endpoints.known:
            return "a pipeline endpoint"
        endpoint = self.endpoints.get(schedule.pipeline_endpoint_id)
        return f"endpoint {endpoint.name}" if endpoint else "an unknown endpoint"

    def behind(self, schedule: Schedule) -> PublishedPipeline | None:
        """The pipeline a schedule submits today."""
        if schedule.pipeline_endpoint_id is None:
            return self.pipelines.get(schedule.pipeline_id or "")
        return self.behind_endpoint(schedule.pipeline_endpoint_id)

    def behind_endpoint(self, endpoint_id: str) -> PublishedPipeline | None:
        """The default version of an endpoint."""
        endpoint = self.endpoints.get(endpoint_id)
        if endpoint is None:
            return None
        return self.pipelines.get(endpoint.versions.get(endpoint.default_version, ""))

    def batch_runs(self, runs: Iterable[PipelineRun]) -> tuple[PipelineRun, ...]:
        """Those that score, in the order given."""
        return tuple(run for run in runs if self._kind(run) is PipelineKind.BATCH_INFERENCE)

    def _kind(self, run: PipelineRun) -> PipelineKind | None:
        pipeline = self.pipelines.get(run.pipeline_id)
        return pipeline.kind if pipeline else None


def when(schedule: Schedule) -> str:
    """When it fires, in words; or why no recurrence says so."""
    return schedule.irregular or rules.in_words(schedule.recurrence)


def upcoming(schedule: Schedule, *, now: datetime, count: int) -> tuple[datetime, ...]:
    """Its next fire times; of a disabled one, those it would have. None where it has no rule."""
    if schedule.irregular:
        return ()
    next_at = schedule.next_fire_at
    # A series without a start time goes on from any of its own fire times.
    return rules.next_fires(
        schedule.recurrence,
        anchored_at=next_at or schedule.created_at or now,
        after=next_at - timedelta(microseconds=1) if next_at else now,
        count=count,
    )


def length(run: PipelineRun | StepRun, *, now: datetime) -> timedelta | None:
    """How long it has been running, or ran; None before it started."""
    return (run.ended_at or now) - run.started_at if run.started_at else None


def share(batch: BatchProgress) -> float:
    """Of the rows dealt with, between 0 and 1."""
    dealt_with = batch.done_count + batch.failed_count
    return min(1.0, dealt_with / batch.total_count) if batch.total_count else 1.0


def idle_for(run: PipelineRun, *, now: datetime) -> timedelta | None:
    """How long nothing was scored, once that is longer than it should be."""
    if run.batch is None or run.status.settled or run.batch.left_count == 0:
        return None
    since = run.batch.last_progress_at or run.started_at
    idle = now - since if since else timedelta(0)
    return idle if idle > IDLE_LIMIT else None


def worst_step(steps: Sequence[StepRun]) -> StepRun | None:
    """The step whose log matters most: the one with an error, else the last that began."""
    wrong = [step for step in steps if step.error]
    begun = [step for step in steps if step.started_at]
    return wrong[0] if wrong else begun[-1] if begun else None


def experiment(pipeline: PublishedPipeline) -> str:
    """What to call the experiment of its runs, unless somebody chooses otherwise."""
    return pipeline.experiment or pipeline.name


def changed(defaults: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The values that differ from the defaults: what a submission has to say."""
    return {name: value for name, value in values.items() if value != defaults.get(name)}
