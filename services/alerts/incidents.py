"""From findings to incidents (pure): one per cause, opened once and resolved once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.alerts.checks import Finding
from services.alerts.records import Incident, Source
from services.alerts.rules import CATALOG, Rules
from services.attention import Attention, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What lasts from one evaluation to the next. Losing it delays, and never doubles."""

    found_at: Mapping[str, datetime] = field(default_factory=dict)  # cause → first found
    gone_at: Mapping[str, datetime] = field(default_factory=dict)  # cause → first not found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()  # open ones that are now told differently
    resolved: tuple[Incident, ...] = ()
    memory: Memory = field(default_factory=Memory)


def decide(
    findings: Sequence[Finding],
    rules: Rules,
    known: Sequence[Incident],
    memory: Memory,
    *,
    missing: frozenset[Source],
    now: datetime,
    new_id: Callable[[], str],
) -> Decision:
    """What to do about what was found.

    An incident opens when its cause has been found for as long as its rule holds, unless
    another finding explains it. It resolves when the cause has been gone for as long as its
    rule wants; never while a source its rule asks did not answer.

    Args:
        known: the open incidents.
        memory: of the previous evaluation; empty at the first.
        missing: what did not answer.
        new_id: makes the id of an incident.
    """
    by_cause = {each.entry.cause: each for each in findings}
    open_causes = {each.cause for each in known}
    found_at = {
        cause: min(memory.found_at.get(cause, now), now)
        for cause, each in by_cause.items()
        if cause not in open_causes and not each.explained_by
    }
    due = [
        cause for cause in found_at if now - found_at[cause] >= CATALOG[_rule(by_cause, cause)].hold
    ]
    opened = tuple(_opened(by_cause[cause].entry, now, new_id()) for cause in due)
    changed, resolved = [], []
    gone_at: dict[str, datetime] = {}
    for incident in known:
        finding = by_cause.get(incident.cause)
        if finding is not None:
            told = _told(incident, finding.entry)
            if told != incident:
                changed.append(told)
            continue
        rule = CATALOG.get(incident.rule)
        enabled = rule is not None and rules[incident.rule].enabled
        if rule is not None and enabled and rule.sources & missing:
            if incident.cause in memory.gone_at:
                gone_at[incident.cause] = memory.gone_at[incident.cause]
            continue
        gone = min(memory.gone_at.get(incident.cause, now), now)
        if rule is not None and enabled and now - gone < rule.clear:
            gone_at[incident.cause] = gone
            continue
        resolved.append(_resolved(incident, now, enabled=enabled))
    return Decision(
        opened=opened,
        changed=tuple(changed),
        resolved=tuple(resolved),
        memory=Memory(
            found_at={cause: at for cause, at in found_at.items() if cause not in due},
            gone_at=gone_at,
        ),
    )


def _rule(by_cause: Mapping[str, Finding], cause: str) -> str:
    return by_cause[cause].entry.rule


def _opened(entry: Attention, now: datetime, incident_id: str) -> Incident:
    return Incident(
        id=incident_id,
        rule=entry.rule,
        cause=entry.cause,
        severity=entry.severity,
        title=entry.title,
        detail=entry.detail,
        page=entry.page,
        address=dict(entry.address),
        opened_at=now,
        since=entry.since,
    )


def _told(incident: Incident, entry: Attention) -> Incident:
    """As it is now; it began when it began."""
    return replace(
        incident,
        severity=entry.severity,
        title=entry.title,
        detail=entry.detail,
        page=entry.page,
        address=dict(entry.address),
        rule=entry.rule,
    )


def _resolved(incident: Incident, now: datetime, *, enabled: bool) -> Incident:
    lasted = in_words(now - incident.opened_at)
    resolution = (
        f"It is over, after {lasted}."
        if enabled
        else f"Its rule was turned off, after {lasted}; nobody looked whether it is over."
    )
    return replace(incident, resolved_at=now, resolution=resolution)


def in_words(length: timedelta) -> str:
    """``40 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


ORDER = tuple(Severity)


def worst_first(incidents: Sequence[Incident]) -> tuple[Incident, ...]:
    """Open before resolved; open ones by severity, and the newest first."""
    return tuple(
        sorted(
            incidents,
            key=lambda each: (
                not each.open,
                ORDER.index(each.severity) if each.open else 0,
                -(each.resolved_at or each.opened_at).timestamp(),
            ),
        )
    )
