"""Asks a workspace for what the rules are about; what does not answer is named, not guessed."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from services import scoring
from services.alerts import bands as band_rules
from services.alerts import expected, golden_rounds
from services.alerts.records import Band, BandCheck, Probe, ProbeResult, Source
from services.alerts.rules import Rules
from services.alerts.snapshot import Served, Snapshot
from services.attention import Seen
from services.domain import (
    AssetStatus,
    Capability,
    Deployment,
    Firing,
    Panel,
    PipelineRun,
    Run,
    RunKind,
    RunStatus,
    Schedule,
    TimeWindow,
)
from services.errors import ServiceError, UnavailableError
from services.ports import Workspace
from services.retraining_policy import Decision
from services.scored.gate import GoldenVerdict

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

T = TypeVar("T")

RUNS, FIRINGS, PROBES, DECISIONS = 200, 1, 200, 50  # how far back a look goes
EAGER: Mapping[Source, timedelta] = MappingProxyType({})  # everything at every look
HOUR, DAY, ASK_AGAIN = timedelta(hours=1), timedelta(hours=24), timedelta(minutes=2)


class Gatherer:
    """One look at a workspace at a time, through its ports only."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        patience: Mapping[Source, timedelta] = EAGER,
        limit_s: float | None = None,
    ) -> None:
        """
        Args:
            patience: how long an answer serves further looks, where asking is expensive.
            limit_s: for one look; what has not been asked by then counts as unanswered.
        """
        self._workspace, self._patience, self._limit_s = workspace, patience, limit_s
        self._missing: set[Source] = set()
        self._said = ""
        self._now = datetime.min.replace(tzinfo=UTC)
        self._began_s = 0.0
        self._known: dict[str, tuple[datetime, Sequence[Any]]] = {}
        self._metrics: dict[str, Mapping[str, float]] = {}  # of settled runs; they never change
        self._panels: dict[tuple[Panel, timedelta], tuple[datetime, pd.DataFrame]] = {}

    def look(self, rules: Rules, *, now: datetime) -> Snapshot:
        """What the workspace answers now."""
        self._missing, self._said = set(), ""
        self._now, self._began_s = now, time.monotonic()
        workspace = self._workspace
        deployments = self._list(Source.DEPLOYMENTS, workspace.deployments.list)
        runs = self._list(Source.RUNS, lambda: workspace.runs.list(limit=RUNS))
        pipeline_runs = self._list(
            Source.PIPELINE_RUNS, lambda: workspace.pipelines.runs(limit=RUNS)
        )
        schedules = self._list(Source.SCHEDULES, workspace.schedules.list)
        probes = self._list(Source.PROBES, workspace.probes.list)
        enabled = [each for each in probes if each.enabled]
        return Snapshot(
            seen=Seen(
                components=self._list(Source.COMPONENTS, workspace.components),
                deployments=deployments,
                runs=runs,
                pipeline_runs=pipeline_runs,
                load_tests=self._list(Source.LOAD_TESTS, workspace.load_tests.list),
                schedules=schedules,
            ),
            pipelines=self._list(Source.PIPELINES, workspace.pipelines.list),
            endpoints=self._list(Source.PIPELINES, workspace.pipelines.endpoints, name="endpoints"),
            firings=self._map(Source.FIRINGS, lambda: self._firings(schedules, pipeline_runs)),
            checks=self._map(Source.METRICS, lambda: self._checks(runs)),
            served=tuple(
                self._map(Source.TELEMETRY, lambda: self._served(deployments, rules, now)).values()
            ),
            probes={each.deployment: each for each in enabled},
            probed=self._map(Source.PROBES, lambda: self._probed(enabled)),
            golden=self._map(Source.GOLDEN, lambda: self._golden(deployments)),
            decisions=self._map(Source.DECISIONS, self._decisions),
            missing=frozenset(self._missing),
            said=self._said,
        )

    def _list(
        self, source: Source, question: Callable[[], Sequence[T]], *, name: str = ""
    ) -> Sequence[T]:
        """Args: name: of one of several questions to the same source."""
        at, found = self._known.get(name or source, (self._now, ()))
        patience = self._patience.get(source, timedelta(0))
        if timedelta(0) < self._now - at < patience:
            return found
        found = ()
        try:
            self._check_time()
            found = question()
        except ServiceError as error:
            self._unanswered(source, error)
        else:
            if patience:
                self._known[name or source] = self._now, found
        return found

    def _map(self, source: Source, question: Callable[[], Mapping[str, T]]) -> Mapping[str, T]:
        found: Mapping[str, T] = {}
        try:
            self._check_time()
            found = question()
        except ServiceError as error:
            self._unanswered(source, error)
        return found

    def _check_time(self) -> None:
        if self._limit_s is not None and time.monotonic() - self._began_s > self._limit_s:
            raise UnavailableError(f"A look ends after {self._limit_s:g} s, answered or not.")

    def _unanswered(self, source: Source, error: ServiceError) -> None:
        log.info("%s did not answer: %s", source, error)
        self._missing.add(source)
        self._said = self._said or str(error)

    # --- pipelines and runs ---

    def _firings(
        self, schedules: Sequence[Schedule], runs: Sequence[PipelineRun]
    ) -> Mapping[str, Sequence[Firing]]:
        if not self._workspace.can(Capability.SCHEDULE_LEDGER):
            if Source.PIPELINE_RUNS in self._missing:
                raise UnavailableError("Without the runs nobody knows which were missed.")
            asked_at = self._known.get(Source.PIPELINE_RUNS, (self._now, ()))[0]
            return expected.firings(schedules, runs, limit=RUNS, now=asked_at)
        port = self._workspace.schedules
        return {
            each.id: port.firings(each.id, limit=FIRINGS)
            for each in schedules
            if each.status is AssetStatus.ACTIVE
        }

    def _checks(self, runs: Sequence[Run]) -> Mapping[str, Sequence[BandCheck]]:
        """Of the completed runs, newest first, that ended since the last one that was checked;
        of the newest in any case. Experiments without bands are left out.

        A pipeline run logs nothing itself. It is held against what it trained, once that is
        known, and left out until then.
        """
        bands: dict[str, list[Band]] = {}
        for band in self._workspace.bands.list():
            bands.setdefault(band.experiment, []).append(band)
        found: dict[str, Sequence[BandCheck]] = {}
        trained = self._trained(runs) if bands else {}
        runs = [run for run in runs if run.kind is not RunKind.PIPELINE or run.id in trained]
        for experiment, own in bands.items():
            kept = self._workspace.bands.checks(experiment)
            chosen = _unchecked(experiment, runs, kept[0].at if kept else None)
            known = {run.id: trained[run.id] for run in chosen if run.id in trained}
            metrics = {
                **self._metrics_of(run for run in chosen if run.id not in known),
                **known,
            }
            found[experiment] = [
                check
                for run in chosen
                for check in band_rules.checks(run.id, metrics[run.id], own, at=_ended(run))
            ]
        return found

    def _trained(self, runs: Sequence[Run]) -> Mapping[str, Mapping[str, float]]:
        """Pipeline run id → the metrics of the best model it trained, as far as they are kept."""
        if not any(run.kind is RunKind.PIPELINE for run in runs):
            return {}
        if not self._workspace.can(Capability.RETRAINING_LOOP):
            return {}
        port = self._workspace.retraining
        return {
            each.run_id: each.metrics
            for policy in port.policies()
            for each in port.measured(policy.pipeline_id)
            if each.training_run_id is not None
        }

    def _metrics_of(self, runs: Iterable[Run]) -> Mapping[str, Mapping[str, float]]:
        """Run id → the metrics of its best child, or its own."""
        unknown = {run.id: run.best_child_id or run.id for run in runs}
        asked = [each for each in unknown.values() if each not in self._metrics]
        if asked:
            found = self._workspace.runs.metrics(asked)
            self._metrics |= {each: found.get(each, {}) for each in asked}
        return {run_id: self._metrics[source] for run_id, source in unknown.items()}

    def _decisions(self) -> Mapping[str, Sequence[Decision]]:
        """Newest first, of the pipelines whose models wait for somebody."""
        if not self._workspace.can(Capability.RETRAINING_LOOP):
            return {}
        port = self._workspace.retraining
        held = [each.pipeline_id for each in port.policies() if each.enabled]
        return {each: port.decisions(each, limit=DECISIONS) for each in held}

    # --- probes and telemetry ---

    def _probed(self, probes: Sequence[Probe]) -> Mapping[str, Sequence[ProbeResult]]:
        port = self._workspace.probes
        return {each.deployment: port.results(each.deployment, limit=PROBES) for each in probes}

    def _golden(self, deployments: Sequence[Deployment]) -> Mapping[str, GoldenVerdict]:
        """What is kept; the asking is done by `GoldenRounds`."""
        sets = golden_rounds.golden_sets(self._workspace)
        found = {
            each.name: golden_rounds.standing(self._workspace, each, sets[each.name])
            for each in deployments
            if each.name in sets
        }
        return {name: verdict for name, verdict in found.items() if verdict is not None}

    def _served(
        self, deployments: Sequence[Deployment], rules: Rules, now: datetime
    ) -> Mapping[str, Served]:
        """Empty where no deployment records its requests: then nothing is asked."""
        if not any(each.telemetry_enabled for each in deployments):
            return {}
        if not self._workspace.can(Capability.TELEMETRY_QUERY):
            return {}
        served: dict[str, Served] = {}

        def note(row: Mapping[str, Any], **values: Any) -> None:
            name = str(row["service"])
            served[name] = replace(served.get(name, Served(deployment=name)), **values)

        if rules["telemetry_quiet"].enabled:
            hours = Counter(
                str(row["service"])
                for row in _rows(self._panel(Panel.REQUESTS, DAY, now, bin=HOUR))
            )
            for name, count in hours.items():
                note({"service": name}, active_hours=count)
            quiet = timedelta(minutes=rules["telemetry_quiet"].values["quiet_min"])
            for row in self._deployments(quiet, now):
                note(row, recent_count=int(row["requests"]))
        if rules["failure_rate"].enabled:
            for row in self._deployments(_window(rules, "failure_rate"), now):
                note(row, request_count=int(row["requests"]), failed_count=int(row["failed"]))
        if rules["p95"].enabled:
            for row in self._deployments(_window(rules, "p95"), now):
                note(row, p95_ms=float(row["p95_ms"]), p95_request_count=int(row["requests"]))
        if rules["semantic_failures"].enabled:
            window = _window(rules, "semantic_failures")
            suspect = _rows(self._panel(Panel.SUSPECT_ANSWERS, window, now))
            for name, count, sample in semantic_failures(suspect):
                note({"service": name}, semantic_count=count, semantic_sample=sample)
        return served

    def _deployments(self, length: timedelta, now: datetime) -> list[dict[str, Any]]:
        return _rows(self._panel(Panel.DEPLOYMENTS, length, now))

    def _panel(
        self, panel: Panel, length: timedelta, now: datetime, *, bin: timedelta | None = None
    ) -> pd.DataFrame:
        """Asked anew once the window has moved by a sixtieth, at the latest after two minutes;
        where asking is expensive, by a fifteenth."""
        known = self._panels.get((panel, length))
        again = min(length / 60, ASK_AGAIN)
        if patience := self._patience.get(Source.TELEMETRY):
            again = min(length / 15, patience)
        if known is not None and timedelta(0) <= now - known[0] < again:
            return known[1]
        window = TimeWindow(start=now - length, end=now + timedelta(seconds=1), bin=bin or length)
        frame = self._workspace.telemetry.panel(panel, window).frame
        self._panels[(panel, length)] = now, frame
        return frame


def _ended(run: Run) -> datetime:
    return run.ended_at or run.created_at


def _unchecked(experiment: str, runs: Sequence[Run], since: datetime | None) -> list[Run]:
    done = [
        run for run in runs if run.experiment == experiment and run.status is RunStatus.COMPLETED
    ]
    return [
        run for number, run in enumerate(done) if number == 0 or (since and _ended(run) > since)
    ]


def _window(rules: Rules, key: str) -> timedelta:
    return timedelta(minutes=rules[key].values["window_min"])


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def semantic_failures(
    rows: Iterable[Mapping[str, object]],
) -> tuple[tuple[str, int, str], ...]:
    """Deployment, how many of its suspect answers are errors, and what the first one says.

    Args:
        rows: of `Panel.SUSPECT_ANSWERS`.
    """
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for row in rows:
        meaning = scoring.understand(200, str(row["answer"] or ""))
        if meaning.error:
            name = str(row["service"])
            counts[name] += 1
            samples.setdefault(name, meaning.error)
    return tuple((name, count, samples[name]) for name, count in counts.items())
