"""What the rules find in a snapshot (pure): every cause once, worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services import attention
from services.alerts import pipeline_checks, retrained
from services.alerts import rules as catalog
from services.alerts.bands import described
from services.alerts.records import AlertRule, BandCheck, Source, Verdict
from services.alerts.rules import Rules
from services.alerts.snapshot import Served, Snapshot
from services.attention import Attention, Severity, Traffic
from services.domain import Deployment, DeploymentState

ARRIVES_WITHIN = timedelta(minutes=10)  # telemetry: seconds here, minutes on Azure
SAMPLE_CHARACTERS = 160

SERVING = (  # rules about the same answers, the one that explains the others first
    "deployment_unwell",
    "deployment_stuck",
    "probe_failed",
    "semantic_failures",
    "failure_rate",
    "p95",
    "telemetry_quiet",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a rule objects to."""

    entry: Attention
    explained_by: str = ""  # the cause of another finding that this one follows from


def findings(snapshot: Snapshot, rules: Rules, *, now: datetime) -> tuple[Finding, ...]:
    """What enabled rules object to, worst first; what follows from another says from which."""
    found = [
        graded(entry, rules)
        for entry in (*_basic(snapshot, rules, now), *_further(snapshot, rules, now))
        if rules[entry.rule].enabled
    ]
    follows = explained(found)
    return tuple(
        Finding(entry=entry, explained_by=follows.get(entry.cause, ""))
        for entry in sorted(found, key=attention.urgency)
    )


def graded(entry: Attention, rules: Rules) -> Attention:
    """With the severity its rule has; some findings are more or less serious than that."""
    rule = rules.get(entry.rule)
    if rule is None or entry.severity is rule.severity:
        return entry
    standard = catalog.CATALOG[entry.rule].severity
    if entry.severity is not standard:  # graded by what was found: a share, a verdict
        return entry
    return replace(entry, severity=rule.severity)


def _basic(snapshot: Snapshot, rules: Rules, now: datetime) -> Iterator[Attention]:
    """What a look at the ports tells; the overview shows the same."""
    least = rules["failure_rate"].values["least_requests"]
    traffic = tuple(
        Traffic(
            deployment=each.deployment,
            request_count=each.request_count,
            failed_count=each.failed_count,
        )
        for each in snapshot.served
        if each.request_count >= least
    )
    seen = replace(snapshot.seen, traffic=traffic)
    yield from attention.entries(seen, now=now, limits=catalog.limits(rules))


Check = Callable[[Snapshot, AlertRule, datetime], Iterator[Attention]]


def _further(snapshot: Snapshot, rules: Rules, now: datetime) -> Iterator[Attention]:
    for key, check in _CHECKS.items():
        if rules[key].enabled:
            yield from check(snapshot, rules[key], now)


# --- what explains what -----------------------------------------------------------


def explained(found: Sequence[Attention]) -> dict[str, str]:
    """Cause → the cause it follows from."""
    of_deployment: dict[str, list[Attention]] = {}
    follows: dict[str, str] = {}
    for entry in found:
        if entry.rule in SERVING:
            of_deployment.setdefault(entry.address.get("deployment", ""), []).append(entry)
    for entries in of_deployment.values():
        first = min(entries, key=lambda entry: SERVING.index(entry.rule))
        follows |= {each.cause: first.cause for each in entries if each is not first}
    follows |= {  # a rejected model follows from the band it left
        each.cause: other.cause
        for each in found
        for other in found
        if each.cause.startswith(f"{other.cause}{retrained.BENEATH}")
    }
    supervisor = "component/supervisor"
    if any(entry.cause == supervisor for entry in found):
        follows |= {
            each.cause: supervisor
            for each in found
            if each.rule in ("run_stuck", "run_late", "schedule_missed", "telemetry_quiet")
        }
    return follows


# --- deployments ------------------------------------------------------------------


def _up(snapshot: Snapshot) -> dict[str, Deployment]:
    """Those that should be answering."""
    states = (DeploymentState.HEALTHY, DeploymentState.UNHEALTHY)
    return {each.name: each for each in snapshot.seen.deployments if each.state in states}


def _probes(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    least = int(rule.values["in_a_row"])
    for name in _up(snapshot).keys() & snapshot.probes.keys():
        if not snapshot.probes[name].enabled:
            continue
        failed = []
        for result in snapshot.probed.get(name, ()):
            if result.ok:
                break
            failed.append(result)
        if len(failed) >= least:
            yield Attention(
                severity=rule.severity,
                title=f"Probes of {name} fail",
                detail=failed[0].reason,
                page="deployment_health",
                address={"deployment": name},
                since=failed[-1].at,
                rule=rule.key,
                cause=f"probe/{name}",
            )


def _semantic(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    for each in _served(snapshot):
        if each.semantic_count >= rule.values["least_failures"]:
            sample = " ".join(each.semantic_sample.split())[:SAMPLE_CHARACTERS]
            count = f"{each.semantic_count:,}"
            answers = "answer" if each.semantic_count == 1 else "answers"
            yield Attention(
                severity=rule.severity,
                title=f"{each.deployment} answers 200 with errors inside",
                detail=f"{count} {answers} in {_window(rule)}: {sample}",
                page="app_insights",
                address={"deployment": each.deployment},
                rule=rule.key,
                cause=f"semantic/{each.deployment}",
            )


def _slow(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    limit = rule.values["p95_ms"]
    for each in _served(snapshot):
        enough = each.p95_request_count >= rule.values["least_requests"]
        if enough and each.p95_ms is not None and each.p95_ms > limit:
            yield Attention(
                severity=rule.severity,
                title=f"{each.deployment} is slow",
                detail=f"p95 is {each.p95_ms:,.0f} ms over {_window(rule)}, above {limit:,g} ms.",
                page="app_insights",
                address={"deployment": each.deployment},
                rule=rule.key,
                cause=f"p95/{each.deployment}",
            )


def _quiet(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """Silence after steady traffic; or a probe that was answered, and left no request behind."""
    limit = timedelta(minutes=rule.values["quiet_min"])
    served = {each.deployment: each for each in snapshot.served}
    for name, deployment in _up(snapshot).items():
        heard = served.get(name, Served(deployment=name))
        settling = now - deployment.updated_at < limit
        if not deployment.telemetry_enabled or settling or heard.recent_count:
            continue
        arrived = now - min(limit / 2, ARRIVES_WITHIN)
        probes = (each.at for each in snapshot.probed.get(name, ()) if each.ok)
        traceless = any(now - limit < at < arrived for at in probes)
        silent = f"for {rule.values['quiet_min']:g} min"
        if traceless:
            detail = f"Probes are answered, but no request was recorded {silent}."
        elif heard.active_hours >= rule.values["active_hours"]:
            detail = f"It had requests in {heard.active_hours} of the last 24 h, and none {silent}."
        else:
            continue
        yield Attention(
            severity=rule.severity,
            title=f"No telemetry from {name}",
            detail=detail,
            page="app_insights",
            address={"deployment": name},
            rule=rule.key,
            cause=f"quiet/{name}",
        )


def _golden(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    for name in _up(snapshot).keys() & snapshot.golden.keys():
        verdict = snapshot.golden[name]
        if not verdict.passed:
            yield Attention(
                severity=rule.severity,
                title=f"The golden set of {name} fails",
                detail=f"{verdict.model_id}: {verdict.why}",
                page="live_scoring",
                address={"deployment": name, "view": "Golden set"},
                since=verdict.at,
                rule=rule.key,
                cause=f"golden/{name}",
            )


def _served(snapshot: Snapshot) -> list[Served]:
    names = {each.name for each in snapshot.seen.deployments}
    return [each for each in snapshot.served if each.deployment in names]


def _window(rule: AlertRule) -> str:
    return f"the last {rule.values['window_min']:g} min"


# --- metrics ----------------------------------------------------------------------


def _bands(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """By the newest run of each experiment, one entry for all its metrics."""
    for experiment, checks in snapshot.checks.items():
        newest = [each for each in checks if each.run_id == checks[0].run_id]
        broken = [each for each in newest if each.verdict is not Verdict.PASS]
        if not broken:
            continue
        failed = any(each.verdict is Verdict.FAIL for each in broken)
        names = ", ".join(each.band.metric for each in broken)
        yield Attention(
            severity=rule.severity if failed else Severity.NOTICE,
            title=f"{experiment}: {names} {'out of band' if failed else 'close to the limit'}",
            detail=" ".join(map(_said, broken)),
            page="training_runs",
            address={"run": broken[0].run_id, "run-view": "Bands"},
            since=broken[0].at,
            rule=rule.key,
            cause=f"band/{experiment}",
        )


def _said(check: BandCheck) -> str:
    value = "was not logged" if check.value is None else f"is {check.value:.4g}"
    return f"{check.band.metric} {value}, expected {described(check.band)}."


# --- the look itself --------------------------------------------------------------


def _blind(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """What cannot be looked at is not healthy; nobody knows."""
    if not snapshot.missing:
        return
    blind = {Source.DEPLOYMENTS, Source.RUNS} <= snapshot.missing
    what = "the workspace" if blind else ", ".join(sorted(snapshot.missing))
    yield Attention(
        severity=Severity.CRITICAL if blind else rule.severity,
        title=f"Cannot look at {what}",
        detail=f"{snapshot.said} What was open there stays open, and what is new goes unnoticed.",
        page="alerts",
        rule=rule.key,
        cause="look",
    )


_CHECKS: Mapping[str, Check] = {
    "cannot_look": _blind,
    "probe_failed": _probes,
    "semantic_failures": _semantic,
    "p95": _slow,
    "telemetry_quiet": _quiet,
    "run_stuck": pipeline_checks.stuck,
    "run_late": pipeline_checks.late,
    "schedule_missed": pipeline_checks.missed,
    "pipeline_inactive": pipeline_checks.inactive,
    "metric_band": _bands,
    "retrain_waiting": retrained.waiting,
    "retrain_rejected": retrained.rejected,
    "retrain_failed": retrained.failed,
    "golden_failed": _golden,
}
