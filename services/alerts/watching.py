"""One evaluation of one workspace: look, find, decide, write. Whoever calls it says when."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from services.alerts import checks
from services.alerts.gathering import Gatherer
from services.alerts.incidents import Decision, Memory, decide
from services.alerts.records import BandCheck, Incident, QuietHours, Source
from services.ports import Workspace


class Journal(Protocol):
    """Where incidents and messages are kept."""

    def open_incidents(self) -> Sequence[Incident]: ...

    def apply(self, decision: Decision, quiet: QuietHours, *, now: datetime) -> None: ...

    def record_checks(self, found: Iterable[BandCheck]) -> None: ...

    def evaluated(self, missing: frozenset[Source], *, now: datetime) -> None: ...


class Watch:
    """Evaluates one workspace again and again; between evaluations it keeps only `Memory`."""

    def __init__(
        self, workspace: Workspace, journal: Journal, gatherer: Gatherer | None = None
    ) -> None:
        self._workspace, self._journal = workspace, journal
        self._gatherer = gatherer or Gatherer(workspace)
        self._memory = Memory()

    def evaluate(self, *, now: datetime, new_id: Callable[[], str] | None = None) -> Decision:
        """Apply every rule once, and write down what changed.

        Raises:
            UnavailableError: what is kept beside the workspace could not be read or written.
        """
        rules = {rule.key: rule for rule in self._workspace.alerts.rules()}
        snapshot = self._gatherer.look(rules, now=now)
        self._journal.record_checks(
            check for checked in snapshot.checks.values() for check in checked
        )
        decision = decide(
            checks.findings(snapshot, rules, now=now),
            rules,
            self._journal.open_incidents(),
            self._memory,
            missing=snapshot.missing,
            now=now,
            new_id=new_id or _new_id,
        )
        self._journal.apply(decision, self._workspace.alerts.quiet_hours(), now=now)
        self._journal.evaluated(snapshot.missing, now=now)
        self._memory = decision.memory
        return decision


def _new_id() -> str:
    return f"inc-{uuid.uuid4().hex[:16]}"
