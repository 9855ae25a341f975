"""The state of a deployment, worked out from what was decided and what is seen (pure but for
one look at a process).

Nothing is stored that could go stale: no column says Healthy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain import DeploymentState
from services.local.process_table import Observation
from services.local.processes import ProcessRef
from services.local.store import instant

START_LIMIT = timedelta(seconds=60)  # for a process to appear once somebody supervises
PREPARE_LIMIT = timedelta(minutes=5)  # for a model to be made ready

NO_SUPERVISOR = (
    "Nothing serves it, because no supervisor is running. "
    "Start one with “make run” or “make workspace”."
)


@dataclass(frozen=True, slots=True)
class Health:
    state: DeploymentState
    since: datetime | None
    error: str = ""


def health(
    row: sqlite3.Row,
    seen: Observation | None,
    *,
    supervised: bool,
    now: datetime,
    answers: Callable[[int], bool],
) -> Health:
    """What a deployment is at this moment.

    Args:
        row: its row in ``deployments``.
        seen: what the supervisor saw last of its server; None when it never started one.
        supervised: a supervisor is at work.
        answers: asks the server at a port of this machine whether it is well.
    """
    if row["failed_at"] is not None:
        return Health(DeploymentState.FAILED, instant(row["failed_at"]), row["error"])
    decided_at = instant(row["updated_at"]) or now
    if seen is None or seen.generation != row["incarnation"]:
        return _not_started(decided_at, supervised=supervised, now=now)
    if not seen.running:
        return _down(row, seen, supervised=supervised)
    if not serves(row, seen.ref):
        return _starting(row, seen, decided_at)
    if row["served_generation"] < row["generation"]:
        return Health(DeploymentState.TRANSITIONING, decided_at)
    return _serving(row, seen, answers)


def serves(row: sqlite3.Row, ref: ProcessRef | None) -> bool:
    """Whether this very process has reported that it serves."""
    if ref is None or row["served_pid"] is None:
        return False
    return ProcessRef(row["served_pid"], row["served_started_at"]) == ref


def _not_started(decided_at: datetime, *, supervised: bool, now: datetime) -> Health:
    if now - decided_at <= START_LIMIT:
        return Health(DeploymentState.TRANSITIONING, decided_at)
    if not supervised:
        return Health(DeploymentState.UNHEALTHY, decided_at + START_LIMIT, NO_SUPERVISOR)
    return Health(
        DeploymentState.FAILED,
        decided_at + START_LIMIT,
        f"Its server was not started within {START_LIMIT.seconds} s; "
        "the supervisor’s log in the workspace folder says why.",
    )


def _down(row: sqlite3.Row, seen: Observation, *, supervised: bool) -> Health:
    if not supervised:
        return Health(DeploymentState.UNHEALTHY, seen.exited_at, NO_SUPERVISOR)
    if row["served_at"] is None and seen.restart_count == 0:
        return Health(DeploymentState.TRANSITIONING, seen.spawned_at)
    return Health(
        DeploymentState.UNHEALTHY,
        seen.exited_at,
        f"Its server ended {_ending(seen.exit_code)}and is being started again.",
    )


def _ending(code: int | None) -> str:
    if code is None:
        return ""
    return f"by signal {-code} " if code < 0 else f"with exit code {code} "


def _starting(row: sqlite3.Row, seen: Observation, decided_at: datetime) -> Health:
    """A process that has not said yet that it serves: the first, or one after another."""
    restarted = row["served_at"] is not None and seen.restart_count > 0
    if restarted and row["served_generation"] == row["generation"]:
        return Health(
            DeploymentState.UNHEALTHY, seen.spawned_at, "Its server ended and is starting again."
        )
    return Health(DeploymentState.TRANSITIONING, max(seen.spawned_at, decided_at))


def _serving(row: sqlite3.Row, seen: Observation, answers: Callable[[int], bool]) -> Health:
    since = instant(row["served_at"])
    if seen.answering is None:  # it said so itself a moment ago; the first probe is on its way
        return Health(DeploymentState.HEALTHY, since, row["error"])
    if seen.answering or answers(row["port"]):
        return Health(DeploymentState.HEALTHY, since, row["error"])
    return Health(
        DeploymentState.UNHEALTHY,
        seen.answered_at or since,
        "Its server runs but does not answer its health check.",
    )
