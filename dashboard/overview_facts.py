"""Everything the overview shows, asked for once per refresh: each answer with its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from dashboard import economy, readings, reads, session, side_by_side
from dashboard.rates import Rates
from dashboard.readings import Data, Empty, Failed, NotConfigured, Reading
from services.attention import Seen, Traffic
from services.domain import (
    Component,
    Dataset,
    Deployment,
    FlowProgress,
    LoadTest,
    Model,
    PipelineRun,
    Run,
    Schedule,
    TimeWindow,
)
from services.flow_state import Answers

T = TypeVar("T")

EXPERIMENTS = 2  # whose runs are looked at where each takes a request
NOT_RECORDED = (
    "No deployment records its requests. Turn Application Insights on for one, on the "
    "Deployment health page."
)


@dataclass(frozen=True, slots=True)
class Facts:
    now: datetime
    window: TimeWindow
    components: Reading[tuple[Component, ...]]
    datasets: Reading[tuple[Dataset, ...]]
    runs: Reading[tuple[Run, ...]]
    models: Reading[tuple[Model, ...]]
    deployments: Reading[tuple[Deployment, ...]]
    load_tests: Reading[tuple[LoadTest, ...]]
    schedules: Reading[tuple[Schedule, ...]]
    pipeline_runs: Reading[tuple[PipelineRun, ...]]
    traffic: Reading[tuple[Traffic, ...]]
    rates: Reading[Rates]
    progress: FlowProgress | None
    experiments_left: int = 0  # whose runs were not looked at

    @property
    def seen(self) -> Seen:
        """For `attention.entries`."""
        return Seen(
            components=_items(self.components) or (),
            deployments=_items(self.deployments) or (),
            runs=_items(self.runs) or (),
            pipeline_runs=_items(self.pipeline_runs) or (),
            load_tests=_items(self.load_tests) or (),
            schedules=_items(self.schedules) or (),
            traffic=_items(self.traffic) or (),
        )

    @property
    def answers(self) -> Answers:
        """For `flow_state.stages`."""
        return Answers(
            datasets=_items(self.datasets),
            runs=_items(self.runs),
            more_runs=self.experiments_left > 0,
            deployments=_items(self.deployments),
            components=_items(self.components),
            traffic=_items(self.traffic),
            load_tests=_items(self.load_tests),
            schedules=_items(self.schedules),
        )

    @property
    def failures(self) -> tuple[tuple[str, Failed[Any]], ...]:
        """What did not answer, by what it is called on screen."""
        named: dict[str, Reading[Any]] = {
            "the workspace's parts": self.components,
            "datasets": self.datasets,
            "runs": self.runs,
            "models": self.models,
            "deployments": self.deployments,
            "load tests": self.load_tests,
            "schedules": self.schedules,
            "pipeline runs": self.pipeline_runs,
            "telemetry": self.traffic,
        }
        return tuple(
            (name, reading) for name, reading in named.items() if isinstance(reading, Failed)
        )

    @property
    def unsettled(self) -> bool:
        """Something is on its way, so the page looks again by itself."""
        return (
            any(not run.status.settled for run in _items(self.runs) or ())
            or any(not each.state.settled for each in _items(self.deployments) or ())
            or any(not test.state.settled for test in _items(self.load_tests) or ())
        )


def gather(window: TimeWindow) -> Facts:
    """Ask every port; one that does not answer leaves the others alone."""
    runs = reads.experiments if economy.metered() else reads.runs
    side_by_side.ahead(reads.deployments, reads.datasets, runs, reads.models, reads.schedules)
    progress = _items(_take("flow", lambda: (reads.flow_progress(),)))
    deployments = _take("deployments", reads.deployments)
    known = _items(deployments)
    recorded = known is None or any(each.telemetry_enabled for each in known)
    # The rates first: the traffic is in what they ask for.
    rates: Reading[Rates] = (
        _take("rates", lambda: reads.rates(window), window.length, _no_requests)
        if recorded
        else NotConfigured(NOT_RECORDED)
    )
    return Facts(
        now=datetime.now(UTC),
        window=window,
        components=_take("components", reads.components),
        datasets=_take("datasets", reads.datasets),
        runs=_take("runs", _runs),
        models=_take("models", reads.models),
        deployments=deployments,
        load_tests=_take("load tests", reads.load_tests),
        schedules=_take("schedules", reads.schedules),
        pipeline_runs=_take("pipeline runs", _pipeline_runs),
        traffic=_take("traffic", lambda: reads.traffic(window), window.length)
        if recorded
        else NotConfigured(NOT_RECORDED),
        rates=rates,
        progress=progress[0] if progress else None,
        experiments_left=_experiments_left(),
    )


def _runs() -> tuple[Run, ...]:
    """All of them; where each experiment is a request, those of the newest ones."""
    if not economy.metered():
        return reads.runs()
    return reads.runs_of([each.name for each in reads.experiments()[:EXPERIMENTS]])


def _experiments_left() -> int:
    if not economy.metered():
        return 0
    known = _items(_take("experiments", reads.experiments)) or ()
    return max(0, len(known) - EXPERIMENTS)


def _pipeline_runs() -> tuple[PipelineRun, ...]:
    """Azure lists them among the runs; asking again would cost a request per pipeline."""
    return () if economy.metered() else reads.pipeline_runs()


def _take(
    name: str,
    fetch: Callable[[], T],
    about: object = None,
    is_empty: Callable[[T], bool] = lambda value: not value,
) -> Reading[T]:
    identity = (session.workspace().location, "overview", name, str(about))
    return readings.take(fetch, identity=identity, is_empty=is_empty)


def _no_requests(rates: Rates) -> bool:
    return not rates.request_count


def _items(reading: Reading[tuple[T, ...]]) -> tuple[T, ...] | None:
    """What was answered: None when nobody did."""
    match reading:
        case Data(value, _):
            return value
        case Empty() | NotConfigured():
            return ()
    return None
