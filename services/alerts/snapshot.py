"""What a workspace answered at one moment, as far as rules are about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.alerts.records import BandCheck, Probe, ProbeResult, Source
from services.attention import Seen
from services.domain import Firing, PipelineEndpoint, PublishedPipeline
from services.retraining_policy import Decision
from services.scored.gate import GoldenVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What telemetry says of one deployment."""

    deployment: str
    request_count: int = 0  # in the window of the failure-rate rule
    failed_count: int = 0
    p95_ms: float | None = None  # in the window of the p95 rule
    p95_request_count: int = 0
    semantic_count: int = 0  # 200 whose body is an error, in the window of its rule
    semantic_sample: str = ""  # what one of them said
    recent_count: int = 0  # requests in the window of the quiet rule
    active_hours: int = 0  # of the last day, those with a request


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Empty where nothing is; what did not answer is named in `missing`."""

    seen: Seen = field(default_factory=Seen)  # without traffic, which is in `served`
    pipelines: Sequence[PublishedPipeline] = ()
    endpoints: Sequence[PipelineEndpoint] = ()
    firings: Mapping[str, Sequence[Firing]] = field(default_factory=dict)  # by schedule, newest 1st
    # By experiment: of its newest completed run, then of those that ended since the last look.
    checks: Mapping[str, Sequence[BandCheck]] = field(default_factory=dict)
    served: Sequence[Served] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)  # by deployment
    probed: Mapping[str, Sequence[ProbeResult]] = field(default_factory=dict)  # newest first
    golden: Mapping[str, GoldenVerdict] = field(default_factory=dict)  # of the model that serves
    decisions: Mapping[str, Sequence[Decision]] = field(default_factory=dict)  # by held pipeline
    missing: frozenset[Source] = frozenset()
    said: str = ""  # the first of what did not answer, why
