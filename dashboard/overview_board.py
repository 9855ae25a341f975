"""What the overview lists as needing attention: what it sees itself, and open incidents."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard import alert_reads, session
from dashboard.overview_facts import Facts
from services import attention
from services.alerts import board
from services.alerts import rules as catalog
from services.attention import Attention, Severity
from services.domain import Capability
from services.errors import ServiceError

STALE_AFTER = timedelta(minutes=2)  # the watcher says every half minute that it looked


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
    found = board.entries(live, incidents, rules, now=facts.now, complete=not facts.failures)
    supervised = not any(entry.cause == "component/supervisor" for entry in found)
    if supervised and evaluated_at is not None and facts.now - evaluated_at > STALE_AFTER:
        return (*found, _unwatched(evaluated_at))
    return found


def _unwatched(since: datetime) -> Attention:
    """Without a watcher a short list would say less than it seems to."""
    return Attention(
        severity=Severity.WARNING,
        title="Alert rules are not being applied",
        detail="The watcher does not run; its log is watcher.log in the workspace's folder.",
        page="alerts",
        since=since,
        cause="watcher",
    )
