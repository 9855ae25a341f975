"""One list for the overview: what a look finds now, and the incidents a look cannot see (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services import attention
from services.alerts.checks import explained, graded
from services.alerts.records import Incident
from services.alerts.rules import Rules
from services.attention import Attention

_SEEN = frozenset(
    {
        "component_down",
        "deployment_unwell",
        "deployment_stuck",
        "run_failed",
        "pipeline_run_failed",
        "load_test_failed",
    }
)


def entries(
    live: Sequence[Attention],
    incidents: Sequence[Incident],
    rules: Rules,
    *,
    now: datetime,
    complete: bool,
) -> tuple[Attention, ...]:
    """Every cause once, worst first, without what somebody silenced.

    Args:
        live: what a look at the ports just found, of `attention.entries`.
        incidents: open or not, in any order.
        complete: every port answered that look. Then an open incident it should have seen,
            and has not, is over, although the watcher has yet to say so.
    """
    open_ones = [each for each in incidents if each.open]
    silent = {each.cause for each in open_ones if each.silent(now)}
    acknowledged = {each.cause: each for each in open_ones if each.acknowledged_at is not None}
    enabled = [each for each in live if each.rule not in rules or rules[each.rule].enabled]
    known = {each.cause for each in enabled}
    further = [
        each.entry
        for each in open_ones
        if each.cause not in known and not (complete and _seen_by_a_look(each))
    ]
    found = [graded(each, rules) for each in (*enabled, *further) if each.cause not in silent]
    follows = explained(found)
    return tuple(
        _with_note(each, acknowledged.get(each.cause))
        for each in sorted(found, key=attention.urgency)
        if each.cause not in follows
    )


def _seen_by_a_look(incident: Incident) -> bool:
    if incident.cause.startswith("run/"):
        return incident.rule == "run_stuck"
    if incident.rule == "schedule_missed":
        return not incident.cause.endswith("/firing")
    return incident.rule in _SEEN


def _with_note(entry: Attention, incident: Incident | None) -> Attention:
    if incident is None:
        return entry
    note = f"Acknowledged by {incident.acknowledged_by}"
    note += f": {incident.note}" if incident.note else "."
    return attention.noted(entry, note)
