"""What is due at its time in a workspace that lives elsewhere: resuming, trying again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from services.errors import ServiceError

log = logging.getLogger(__name__)

EVERY_S = 1.0

Chore = Callable[[], object]


def keep_doing(chore: Chore, stopping: threading.Event, *, every_s: float = EVERY_S) -> None:
    """Do it again and again, whatever comes of it; each on a thread of its own."""
    while not stopping.is_set():
        try:
            chore()
        except ServiceError as error:
            log.warning("something due was not done: %s", error)
        except Exception:
            log.exception("something due failed; it is tried again")
        stopping.wait(every_s)
