"""What the overview lists as needing attention: what it sees itself, and open incidents."""

from __future__ import annotations

from datetime import datetime

from dashboard import alert_reads, session
from dashboard.overview_facts import Facts
from services import attention
from services.alerts import board
from services.alerts import rules as catalog
from services.attention import Attention, Severity
from services.domain import Capability
from services.errors import ServiceError


def entries(facts: Facts) -> tuple[Attention, ...]:
    """Every cause once, worst first."""
    if not session.workspace().can(Capability.ALERTS):
        return attention.entries(facts.seen, now=facts.now)
    try:
        rules = {rule.key: rule for rule in alert_reads.rules()}
        incidents = alert_reads.incidents()
        evaluated_at, _ = alert_reads.evaluated()
    except ServiceError as error:
        unread = Attention(
            severity=Severity.WARNING,
            title="Open incidents could not be read",
            detail=str(error),
            page="alerts",
            cause="alerts",
        )
        return (*attention.entries(facts.seen, now=facts.now), unread)
    live = attention.entries(facts.seen, now=facts.now, limits=catalog.limits(rules))
    found = board.entries(
        live,
        incidents,
        rules,
        now=facts.now,
        complete=not (facts.failures or facts.experiments_left),
    )
    supervised = not any(entry.cause == "component/supervisor" for entry in found)
    if supervised and _stale(evaluated_at, facts.now):
        return (*found, _unwatched(evaluated_at))
    return found


def _stale(evaluated_at: datetime | None, now: datetime) -> bool:
    if evaluated_at is None:  # a local workspace that was just made is looked at in a moment
        return session.workspace().backend != "local"
    return now - evaluated_at > alert_reads.stale_after()


def _unwatched(since: datetime | None) -> Attention:
    """Without a watcher a short list would say less than it seems to."""
    return Attention(
        severity=Severity.WARNING,
        title="Alert rules are not being applied",
        detail=alert_reads.unwatched(),
        page="alerts",
        since=since,
        cause="watcher",
    )
