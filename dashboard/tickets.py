"""Tickets: leave to score with a deployment's key without ever seeing it.

The API documentation runs in the browser, where a key would be in reach of everything else
that runs there. A ticket is good for one deployment, for a while, and only at this server,
which adds the key on the way. Kept in memory: a restart ends them all.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

LIFETIME_S = 15 * 60  # after its last use
LIMIT = 500  # the oldest go first


@dataclass(slots=True)
class _Ticket:
    deployment: str
    ends_at: float  # monotonic


_issued: dict[str, _Ticket] = {}


def issue(deployment: str) -> str:
    """A new ticket for one deployment."""
    _forget_ended()
    ticket = secrets.token_urlsafe(24)
    _issued[ticket] = _Ticket(deployment, time.monotonic() + LIFETIME_S)
    return ticket


def admits(ticket: str, deployment: str) -> bool:
    """Whether a ticket is good for this deployment; using it makes it last."""
    found = _issued.get(ticket)
    now = time.monotonic()
    if found is None or found.deployment != deployment or now >= found.ends_at:
        return False
    found.ends_at = now + LIFETIME_S
    return True


def withdraw(ticket: str) -> None:
    _issued.pop(ticket, None)


def _forget_ended() -> None:
    now = time.monotonic()
    for ticket in [ticket for ticket, each in _issued.items() if now >= each.ends_at]:
        withdraw(ticket)
    for ticket in list(_issued)[: max(0, len(_issued) - LIMIT + 1)]:
        withdraw(ticket)
