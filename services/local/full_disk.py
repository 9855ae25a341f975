"""How a worker that met a full disk tells of it, though it cannot write anything down."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from services.local import durable
from services.local.duty import Exit, ExitCause

log = logging.getLogger(__name__)

EXIT_CODE = 4


def told(then: str) -> str:
    """What the operator reads.

    Args:
        then: what to do once there is space again, as in “submit it again”.
    """
    return f"The disk of the workspace was full. Free some space there, then {then}."


def working(work: Callable[[], int]) -> int:
    """The exit code of `work`, a worker's whole life."""
    try:
        return work()
    except Exception as error:
        if not durable.disk_full(error):
            raise
        log.exception("how it ended could not be written down")
        os._exit(EXIT_CODE)  # what is left to write to the log would change the exit code


def ended(exit: Exit) -> bool:
    """Whether that is how a worker ended."""
    return exit.cause is ExitCause.ITSELF and exit.code == EXIT_CODE
