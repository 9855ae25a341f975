"""The rules: what each looks for, how serious it is, and its thresholds with good defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from services.alerts.records import AlertRule, Source
from services.attention import Limits, Severity
from services.errors import InvalidRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One threshold of a rule."""

    name: str
    label: str
    unit: str
    default: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of trouble. `AlertRule` is what an operator made of it."""

    key: str
    title: str
    help: str
    severity: Severity
    sources: frozenset[Source]
    parameters: tuple[Parameter, ...] = ()
    hold: timedelta = timedelta(0)  # it opens once it has lasted for so long
    clear: timedelta = timedelta(0)  # it is resolved once it has been gone for so long

    @property
    def standard(self) -> AlertRule:
        values = {each.name: each.default for each in self.parameters}
        return AlertRule(key=self.key, enabled=True, severity=self.severity, values=values)


def _minutes(name: str, label: str, default: float, most: float = 10_080) -> Parameter:
    return Parameter(name=name, label=label, unit="min", default=default, least=1, most=most)


_WINDOW = _minutes("window_min", "Looked at", 15, 1_440)
_LEAST_REQUESTS = Parameter(
    name="least_requests", label="Requests at least", unit="", default=20, least=1, most=1e6
)
_STUCK = _minutes("stuck_min", "Stuck after", 10)
_SERVED = frozenset({Source.DEPLOYMENTS, Source.COMPONENTS})
_TRAFFIC = frozenset({Source.DEPLOYMENTS, Source.TELEMETRY})

_ALL = (
    Rule(
        key="component_down",
        title="A part of the workspace is down",
        help=(
            "The supervisor or the telemetry server does not run, "
            "or the workspace's file is damaged."
        ),
        severity=Severity.CRITICAL,
        sources=frozenset({Source.COMPONENTS}),
        hold=timedelta(seconds=20),
    ),
    Rule(
        key="cannot_look",
        title="Cannot look",
        help="Something the other rules ask does not answer: nobody knows whether it is well.",
        severity=Severity.WARNING,
        sources=frozenset(),
        hold=timedelta(seconds=20),
    ),
    Rule(
        key="deployment_unwell",
        title="Deployment Unhealthy or Failed",
        help="Azure ML's own state says that callers get no answer.",
        severity=Severity.CRITICAL,
        sources=_SERVED,
        hold=timedelta(seconds=20),
        clear=timedelta(seconds=20),
    ),
    Rule(
        key="deployment_stuck",
        title="Deployment stuck in transition",
        help="It has been Transitioning for longer than creating or updating should take.",
        severity=Severity.WARNING,
        sources=_SERVED,
        parameters=(_STUCK,),
    ),
    Rule(
        key="probe_failed",
        title="Probe failing",
        help="The last probes of a deployment found no usable answer.",
        severity=Severity.CRITICAL,
        sources=frozenset({Source.PROBES, Source.DEPLOYMENTS}),
        parameters=(
            Parameter(
                name="in_a_row", label="Failures in a row", unit="", default=2, least=1, most=100
            ),
        ),
    ),
    Rule(
        key="failure_rate",
        title="Requests fail",
        help="The share of requests that were not answered below 400.",
        severity=Severity.WARNING,
        sources=_TRAFFIC,
        parameters=(
            Parameter(
                name="warn_pct", label="Failing at least", unit="%", default=5, least=0.1, most=100
            ),
            Parameter(
                name="critical_pct", label="Critical from", unit="%", default=50, least=1, most=100
            ),
            _LEAST_REQUESTS,
            _WINDOW,
        ),
        clear=timedelta(minutes=1),
    ),
    Rule(
        key="semantic_failures",
        title="Answers that are errors",
        help="Status 200, but the body is an error message: status codes and uptime look fine.",
        severity=Severity.WARNING,
        sources=_TRAFFIC,
        parameters=(
            Parameter(
                name="least_failures",
                label="Answers at least",
                unit="",
                default=1,
                least=1,
                most=1e6,
            ),
            _WINDOW,
        ),
    ),
    Rule(
        key="p95",
        title="Slow answers",
        help="The 95th percentile of how long the server took.",
        severity=Severity.WARNING,
        sources=_TRAFFIC,
        parameters=(
            Parameter(
                name="p95_ms", label="p95 above", unit="ms", default=1000, least=0.1, most=600_000
            ),
            _LEAST_REQUESTS,
            _WINDOW,
        ),
        clear=timedelta(minutes=1),
    ),
    Rule(
        key="telemetry_quiet",
        title="Telemetry gone quiet",
        help="A deployment with steady traffic, or one that is probed, records no request.",
        severity=Severity.WARNING,
        sources=_TRAFFIC | {Source.PROBES},
        parameters=(
            _minutes("quiet_min", "Quiet for", 60, 720),
            Parameter(
                name="active_hours",
                label="After requests in",
                unit="of 24 h",
                default=12,
                least=1,
                most=24,
            ),
        ),
    ),
    Rule(
        key="run_failed",
        title="Training run failed",
        help="The last run of an experiment failed; a later success answers it.",
        severity=Severity.WARNING,
        sources=frozenset({Source.RUNS}),
    ),
    Rule(
        key="run_stuck",
        title="Run stuck",
        help="A run, or a pipeline's run, waits too long to start or no longer responds.",
        severity=Severity.WARNING,
        sources=frozenset({Source.RUNS, Source.PIPELINE_RUNS, Source.COMPONENTS}),
        parameters=(_STUCK,),
    ),
    Rule(
        key="run_late",
        title="Run late",
        help="A pipeline's run takes much longer than its earlier ones did.",
        severity=Severity.WARNING,
        sources=frozenset({Source.PIPELINE_RUNS}),
        parameters=(
            Parameter(
                name="factor", label="Times the median", unit="×", default=3, least=1.1, most=100
            ),
            _minutes("least_min", "Not before", 10),
        ),
    ),
    Rule(
        key="pipeline_run_failed",
        title="Pipeline run failed",
        help="The last run of a pipeline or a schedule failed.",
        severity=Severity.WARNING,
        sources=frozenset({Source.RUNS, Source.PIPELINE_RUNS}),
    ),
    Rule(
        key="schedule_missed",
        title="Schedule missed or late",
        help="A due time passed and nothing was submitted, or much later than it was due.",
        severity=Severity.CRITICAL,
        sources=frozenset({Source.SCHEDULES, Source.FIRINGS, Source.COMPONENTS}),
        parameters=(_minutes("late_min", "Late after", 2, 1_440),),
    ),
    Rule(
        key="pipeline_inactive",
        title="Pipeline not Active",
        help="A pipeline or endpoint that an Active schedule submits is Disabled.",
        severity=Severity.WARNING,
        sources=frozenset({Source.PIPELINES, Source.SCHEDULES}),
    ),
    Rule(
        key="golden_failed",
        title="Golden set fails",
        help="A deployment answers a request with a known right answer wrongly. Asked every hour.",
        severity=Severity.WARNING,
        sources=frozenset({Source.GOLDEN, Source.DEPLOYMENTS}),
    ),
    Rule(
        key="metric_band",
        title="Metric out of its band",
        help="The newest run of an experiment has a metric outside the band set for it.",
        severity=Severity.CRITICAL,
        sources=frozenset({Source.RUNS, Source.METRICS}),
    ),
    Rule(
        key="retrain_waiting",
        title="Retrained model waits",
        help="A model passed every check and nobody has approved or rejected it.",
        severity=Severity.WARNING,
        sources=frozenset({Source.DECISIONS}),
        parameters=(_minutes("wait_min", "Waiting for", 240),),
    ),
    Rule(
        key="retrain_rejected",
        title="Retrained model rejected",
        help="The last model of a held pipeline left its bands, or failed the golden set.",
        severity=Severity.WARNING,
        sources=frozenset({Source.DECISIONS}),
    ),
    Rule(
        key="retrain_failed",
        title="Retrained model not deployed",
        help="Somebody approved the last model, or it was being judged, and that went wrong.",
        severity=Severity.CRITICAL,
        sources=frozenset({Source.DECISIONS}),
    ),
    Rule(
        key="load_test_failed",
        title="Load test failed",
        help="The last load test of a deployment could not be carried out.",
        severity=Severity.NOTICE,
        sources=frozenset({Source.LOAD_TESTS}),
    ),
)

CATALOG: Mapping[str, Rule] = MappingProxyType({rule.key: rule for rule in _ALL})

Rules = Mapping[str, AlertRule]


def with_defaults(changed: Iterable[AlertRule]) -> dict[str, AlertRule]:
    """Every rule of the catalog, in its order, as changed or as it comes."""
    known = {each.key: each for each in changed if each.key in CATALOG}
    rules = {}
    for key, rule in CATALOG.items():
        own = known.get(key, rule.standard)
        values = {each.name: own.values.get(each.name, each.default) for each in rule.parameters}
        rules[key] = AlertRule(key=key, enabled=own.enabled, severity=own.severity, values=values)
    return rules


def check(rule: AlertRule) -> None:
    """Refuse a rule that is unknown, or a threshold that is out of reason.

    Raises:
        InvalidRequestError: which threshold, and between what it must lie.
    """
    known = CATALOG.get(rule.key)
    if known is None:
        raise InvalidRequestError(f"There is no alert rule “{rule.key}”.")
    for parameter in known.parameters:
        value = rule.values.get(parameter.name, parameter.default)
        if not parameter.least <= value <= parameter.most:
            raise InvalidRequestError(
                f"“{parameter.label}” of “{known.title}” lies between {parameter.least:g} and "
                f"{parameter.most:g}{' ' + parameter.unit if parameter.unit else ''}."
            )


def limits(rules: Rules) -> Limits:
    """The rules' thresholds, as `attention.entries` takes them."""
    failing = rules["failure_rate"].values
    return Limits(
        stuck_after=timedelta(minutes=rules["run_stuck"].values["stuck_min"]),
        moving_after=timedelta(minutes=rules["deployment_stuck"].values["stuck_min"]),
        overdue_after=timedelta(minutes=rules["schedule_missed"].values["late_min"]),
        failures_warn=failing["warn_pct"] / 100,
        failures_critical=failing["critical_pct"] / 100,
    )
