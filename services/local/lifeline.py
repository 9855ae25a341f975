"""A pipe from parent to child: when the parent is gone, however it went, the child ends.

Unlike PR_SET_PDEATHSIG the pipe belongs to the process, not to the thread that
started the child, and unlike a pid it cannot be mistaken for a stranger's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def follow() -> None:
    """End this process as SIGTERM would, once standard input reaches its end.

    A terminal is no lifeline: a program started by hand goes on.
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
