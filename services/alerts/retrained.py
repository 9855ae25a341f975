"""What the rules find about retrained models that somebody has to decide about (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.alerts.records import AlertRule
from services.alerts.snapshot import Snapshot
from services.attention import Attention
from services.retraining_policy import Check, Decision, DecisionState, Judgement, Mark

FORGOTTEN_AFTER = timedelta(days=7)  # a rejection nobody retrained after
BENEATH = "/retrained/"  # between the cause a rejection follows from and its own
RANGE, RETRAIN = "Metric range", "Retrain"
UNDER_WAY = (DecisionState.DECIDING, DecisionState.APPROVED)


def waiting(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """Each model that waits, until somebody approves or rejects it."""
    limit = timedelta(minutes=rule.values["wait_min"])
    for pipeline_id, decisions in snapshot.decisions.items():
        for decision in decisions:
            since = decision.decided_at or decision.begun_at
            if decision.state is DecisionState.WAITING and now - since > limit:
                yield _entry(
                    rule,
                    decision,
                    title=f"{decision.model_id or 'A model'} of {_name(snapshot, pipeline_id)} "
                    "waits for approval",
                    detail=f"It passed every check. Approving it deploys it to "
                    f"{decision.policy.deployment}.",
                    since=since,
                    cause=f"retrain-waiting/{decision.run_id}",
                )


def rejected(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    """By the newest model that was judged: the next one that is accepted answers it.

    A run that failed has an alert of its own.
    """
    for pipeline_id, decisions in snapshot.decisions.items():
        newest = _newest(decisions, now)
        if newest is None or newest.state is not DecisionState.REJECTED:
            continue
        broken = [check for check in newest.checks if check.mark is Mark.FAILED]
        if any(check.name == RETRAIN for check in broken):
            continue
        yield _entry(
            rule,
            newest,
            title=f"The last model of {_name(snapshot, pipeline_id)} was rejected",
            detail=Judgement(newest.checks).why,
            since=newest.decided_at or newest.begun_at,
            cause=(_beneath(snapshot, newest, broken) + f"{BENEATH}{pipeline_id}").lstrip("/"),
        )


def failed(snapshot: Snapshot, rule: AlertRule, now: datetime) -> Iterator[Attention]:
    for pipeline_id, decisions in snapshot.decisions.items():
        newest = _newest(decisions, now)
        if newest is None or newest.state is not DecisionState.FAILED:
            continue
        doing = "deployed" if newest.answered_at is not None else "judged"
        yield _entry(
            rule,
            newest,
            title=f"The last model of {_name(snapshot, pipeline_id)} could not be {doing}",
            detail=newest.error,
            since=newest.ended_at or newest.begun_at,
            cause=f"retrain-failed/{pipeline_id}",
        )


def _newest(decisions: Sequence[Decision], now: datetime) -> Decision | None:
    """Of those that are settled, while it still matters."""
    done = next((each for each in decisions if each.state not in UNDER_WAY), None)
    return done if done is not None and now - done.begun_at < FORGOTTEN_AFTER else None


def _beneath(snapshot: Snapshot, decision: Decision, broken: Sequence[Check]) -> str:
    """The cause of the band it left, where that was all."""
    runs = (run for run in snapshot.seen.pipeline_runs if run.id == decision.run_id)
    run = next(runs, None)
    if run is None or any(check.name != RANGE for check in broken):
        return ""
    return f"band/{run.experiment}"


def _name(snapshot: Snapshot, pipeline_id: str) -> str:
    names = (each.name for each in snapshot.pipelines if each.id == pipeline_id)
    return next(names, pipeline_id)


def _entry(
    rule: AlertRule, decision: Decision, *, title: str, detail: str, since: datetime, cause: str
) -> Attention:
    return Attention(
        severity=rule.severity,
        title=title,
        detail=detail,
        page="pipeline_schedules",
        address={"view": "Retraining", "retraining": decision.pipeline_id},
        since=since,
        rule=rule.key,
        cause=cause,
    )
