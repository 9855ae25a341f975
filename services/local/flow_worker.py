"""Performs the whole flow: ``python -m services.local.flow_worker HOME``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from services.domain import FlowStepState
from services.errors import ServiceError
from services.local import durable, full_disk, lifeline
from services.local.clock import utc_now
from services.local.flow_steps import STEPS, Journey, Step
from services.local.store import Store, stamp

log = logging.getLogger(__name__)


class Narrator:
    """Writes what a step says and how it ended, so that any page can show it."""

    def __init__(self, store: Store, key: str) -> None:
        self._store, self._key = store, key

    def begin(self) -> None:
        self._update("state = ?, started_at = ?", FlowStepState.RUNNING, stamp(utc_now()))

    def say(self, detail: str, *, made: str = "") -> None:
        log.info("%s: %s", self._key, detail)
        self._update("detail = ?, result_id = ?", detail, made)

    def done(self, result_id: str) -> None:
        self._update(
            "state = ?, ended_at = ?, result_id = ?",
            FlowStepState.DONE,
            stamp(utc_now()),
            result_id,
        )

    def failed(self, reason: str) -> None:
        self._update(
            "state = ?, ended_at = ?, detail = ?", FlowStepState.FAILED, stamp(utc_now()), reason
        )

    def _update(self, what: str, *values: str | None) -> None:
        with self._store.transaction() as db:
            db.execute(f"UPDATE flow_steps SET {what} WHERE key = ?", (*values, self._key))


def perform(step: Step, journey: Journey, narrator: Narrator) -> None:
    """Do one step and remember what it made.

    Raises:
        ServiceError: it failed; the reason is already on the screen.
    """
    narrator.begin()
    try:
        journey.results[step.key] = step.act(journey, narrator.say)
    except ServiceError as error:
        narrator.failed(str(error))
        raise
    except Exception as error:
        narrator.failed(f"The flow met an error of its own ({type(error).__name__}: {error}).")
        raise
    narrator.done(journey.results[step.key])


def main(home: Path) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    lifeline.follow()
    return full_disk.working(lambda: _perform_all(home))


def _perform_all(home: Path) -> int:
    from services.local.workspace import open_workspace

    workspace = open_workspace(home)
    journey = Journey(workspace)
    for step in STEPS:
        try:
            perform(step, journey, Narrator(workspace.store, step.key))
        except ServiceError as error:
            if durable.disk_full(error):
                raise
            log.exception("the flow ends here")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
