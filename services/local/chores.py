"""What is due at its time in a workspace that lives elsewhere: resuming, trying again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from services.errors import ServiceError

log = logging.getLogger(__name__)

EVERY_S = 1.0

Chore = Callable[[], object]


class Chores:
    """Does each again and again; what one of them cannot do keeps no other waiting for long."""

    def __init__(self, chores: Sequence[Chore], *, every_s: float = EVERY_S) -> None:
        self._chores, self._every_s = chores, every_s

    def run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            for chore in self._chores:
                try:
                    chore()
                except ServiceError as error:
                    log.warning("something due was not done: %s", error)
                except Exception:
                    log.exception("something due failed; it is tried again")
            stopping.wait(self._every_s)
