"""Whether a retrained model may replace the one that serves (pure), and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.alerts import bands as band_rules
from services.alerts.records import Band, Verdict
from services.domain import RunStatus

GOLDEN = "Golden set"  # the name of its check


class Mark(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "not asked"
    WAITING = "waits"


class DecisionState(StrEnum):
    DECIDING = "Deciding"
    REJECTED = "Rejected"  # by the policy
    WAITING = "Waiting for approval"
    DECLINED = "Declined"  # by somebody
    APPROVED = "Approved"  # being deployed
    DEPLOYED = "Deployed"
    FAILED = "Failed"  # something went wrong on the way; the error says what


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a model has to pass before somebody is asked whether to deploy it."""

    pipeline_id: str
    deployment: str  # what it would be deployed to
    model_name: str  # what it is registered as, where the pipeline has not done so
    enabled: bool = True
    warn_passes: bool = True  # a metric that warns is good enough
    golden: bool = True  # the deployment's golden set has to pass


@dataclass(frozen=True, slots=True)
class Golden:
    """What the golden set said about a candidate."""

    count: int
    wrong: tuple[str, ...] = ()  # one sentence per case, its name first


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A retraining run, as far as it is judged."""

    run_id: str
    status: RunStatus
    error: str = ""
    metrics: Mapping[str, float]
    golden: Golden | None = None  # None: it was not asked
    not_asked: str = ""  # why


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    mark: Mark
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    checks: tuple[Check, ...]

    @property
    def accepted(self) -> bool:
        return all(check.mark is not Mark.FAILED for check in self.checks)

    @property
    def why(self) -> str:
        """The reasons that decided: of what failed, else of everything."""
        failed = [check.reason for check in self.checks if check.mark is Mark.FAILED]
        return " ".join(failed or [check.reason for check in self.checks])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about one run, by the policy and then by somebody."""

    run_id: str
    pipeline_id: str
    policy: Policy
    state: DecisionState
    checks: tuple[Check, ...]
    golden: Golden | None
    model_id: str | None
    begun_at: datetime
    decided_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    note: str
    ended_at: datetime | None
    error: str
    handed_at: datetime | None = None  # when its deployment was asked for
    replaces: str = ""  # the model that served until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a past run trained, as it was read once."""

    run_id: str
    training_run_id: str | None  # None: it started no AutoML run
    model_id: str | None
    metrics: Mapping[str, float]  # of its best child


def judge(policy: Policy, candidate: Candidate, bands: Sequence[Band]) -> Judgement:
    """Every check in order; what follows a failed retraining is not asked."""
    retrain = _retrain(candidate)
    if retrain.mark is Mark.FAILED:
        return Judgement((retrain,))
    golden = golden_check(policy, candidate.golden, not_asked=candidate.not_asked)
    return Judgement((retrain, _range(policy, candidate, bands), golden))


def replay(
    policy: Policy, candidates: Iterable[Candidate], bands: Sequence[Band]
) -> tuple[tuple[Candidate, Judgement], ...]:
    """What would have happened to past runs, in their order."""
    return tuple((each, judge(policy, each, bands)) for each in candidates)


def steps(decision: Decision) -> tuple[Check, ...]:
    """The way of one run, as far as it has come: what was checked, then what became of it."""
    later = (_registering(decision), _approving(decision), _deploying(decision))
    return (*decision.checks, *(each for each in later if each is not None))


def _registering(decision: Decision) -> Check | None:
    if decision.model_id is None:
        return None
    return Check("Register", Mark.PASSED, f"It is {decision.model_id}.")


def _approving(decision: Decision) -> Check | None:
    name = "Approval"
    if decision.state is DecisionState.WAITING:
        return Check(name, Mark.WAITING, "Nobody has answered yet.")
    if decision.answered_at is None:
        return None
    declined = decision.state is DecisionState.DECLINED
    said = f"{decision.answered_by} {'rejected' if declined else 'approved'} it"
    reason = f"{said}: {decision.note}" if decision.note else f"{said}."
    return Check(name, Mark.FAILED if declined else Mark.PASSED, reason)


def _deploying(decision: Decision) -> Check | None:
    name, where = "Deploy", decision.policy.deployment
    if decision.state is DecisionState.FAILED:
        return Check(name if decision.answered_at else "Judge", Mark.FAILED, decision.error)
    if decision.state is DecisionState.APPROVED:
        doing = "is being updated" if decision.handed_at else "is asked for"
        return Check(name, Mark.WAITING, f"{where} {doing}.")
    if decision.state is DecisionState.DEPLOYED:
        mark = Mark.WARNED if decision.error else Mark.PASSED
        return Check(name, mark, decision.error or f"{where} serves it.")
    return None


def _retrain(candidate: Candidate) -> Check:
    if candidate.status is RunStatus.COMPLETED:
        return Check("Retrain", Mark.PASSED, "The run completed.")
    reason = f"The run is {candidate.status}. {candidate.error}".strip()
    return Check("Retrain", Mark.FAILED, reason)


def _range(policy: Policy, candidate: Candidate, bands: Sequence[Band]) -> Check:
    name = "Metric range"
    if not bands:
        return Check(name, Mark.SKIPPED, "No metric of its experiment has a band.")
    verdicts = {
        band.metric: band_rules.verdict(band, candidate.metrics.get(band.metric)) for band in bands
    }
    worst = band_rules.worst(verdicts.values())
    odd = [band for band in bands if verdicts[band.metric] is worst]
    said = "; ".join(_said(band, candidate.metrics.get(band.metric)) for band in odd)
    if worst is Verdict.PASS:
        return Check(name, Mark.PASSED, f"Within its bands: {said}.")
    if worst is Verdict.WARN and policy.warn_passes:
        return Check(name, Mark.WARNED, f"Near the edge of its band: {said}.")
    return Check(name, Mark.FAILED, f"Outside its band: {said}.")


def _said(band: Band, value: float | None) -> str:
    shown = "was not logged" if value is None else f"is {value:.5g}"
    return f"{band.metric} {shown}, expected {band_rules.described(band)}"


def golden_check(policy: Policy, golden: Golden | None, *, not_asked: str = "") -> Check:
    """What the golden set says of a model, before it serves or after."""
    name = GOLDEN
    if not policy.golden:
        return Check(name, Mark.SKIPPED, "The policy does not ask the golden set.")
    if golden is None:
        reason = not_asked or "The golden set was not asked about this run."
        return Check(name, Mark.SKIPPED, reason)
    if golden.count == 0:
        reason = (
            f"The golden set of {policy.deployment} is empty: name requests with right answers."
        )
        return Check(name, Mark.FAILED, reason)
    if golden.wrong:
        reason = f"{len(golden.wrong)} of {golden.count} golden cases are wrong: {golden.wrong[0]}"
        return Check(name, Mark.FAILED, reason)
    return Check(name, Mark.PASSED, f"All {golden.count} golden cases are right.")
