"""What the overview lists as needing attention: what it sees itself, and open incidents."""

from __future__ import annotations

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
    return board.entries(live, incidents, rules, now=facts.now, complete=not facts.failures)
