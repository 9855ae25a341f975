"""What somebody did that a chart of traffic may show: from the audit log, by deployment (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain import AuditEvent


class EventKind(StrEnum):
    DEPLOYMENT = "deployment"
    KEY = "key rotation"
    BENCHMARK = "benchmark"
    RETRAIN = "retrain"
    SCHEDULE = "schedule firing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartEvent:
    at: datetime
    kind: EventKind
    text: str  # what was done to what
    actor: str


_WORDS = {
    "deployment.create": (EventKind.DEPLOYMENT, "deployed"),
    "deployment.update": (EventKind.DEPLOYMENT, "updated"),
    "deployment.delete": (EventKind.DEPLOYMENT, "deleted"),
    "deployment.regenerate key": (EventKind.KEY, "a key replaced"),
    "rotation.begin": (EventKind.KEY, "guided rotation begun"),
    "rotation.step": (EventKind.KEY, "a step of the guided rotation"),
    "rotation.give_up": (EventKind.KEY, "guided rotation given up"),
    "load_test.begin": (EventKind.BENCHMARK, "benchmark started"),
    "load_test.stop": (EventKind.BENCHMARK, "benchmark stopped"),
    "pipeline.submit": (EventKind.RETRAIN, "pipeline submitted"),
}
_BY_SCHEDULE = "schedule/"


def events(
    audit: Iterable[AuditEvent], *, deployment: str | None, start: datetime, end: datetime
) -> tuple[ChartEvent, ...]:
    """Those from `start` up to `end`, oldest first.

    Args:
        deployment: leave out what was done to another one; pipelines concern all. None: all.
    """
    known = tuple(audit)
    tested = {
        each.subject: str(each.after["deployment"])
        for each in known
        if each.action == "load_test.begin" and each.after.get("deployment")
    }
    found = (
        _event(each, owner)
        for each in known
        if each.action in _WORDS and start <= each.at < end
        for owner in [_owner(each, tested)]
        if deployment is None or owner in (deployment, None)
    )
    return tuple(sorted(found, key=lambda event: event.at))


def _owner(event: AuditEvent, tested: Mapping[str, str]) -> str | None:
    """Whose event it is; None where it is no one deployment's."""
    kind, _, name = event.subject.partition("/")
    return name if kind == "deployment" else tested.get(event.subject)


def _event(event: AuditEvent, owner: str | None) -> ChartEvent:
    kind, words = _WORDS[event.action]
    if kind is EventKind.RETRAIN and event.actor.startswith(_BY_SCHEDULE):
        kind, words = EventKind.SCHEDULE, "a schedule submitted a pipeline"
    return ChartEvent(
        at=event.at, kind=kind, text=f"{owner or event.subject}: {words}", actor=event.actor
    )
