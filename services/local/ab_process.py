"""One ``ab`` process: started, followed while it prints, and stopped so that it still reports."""

from __future__ import annotations

import os
import pty
import selectors
import signal
import subprocess
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LAST_WORDS_S = 1.2  # what ab is given to write its report when it is stopped


class AbProcess:
    """``ab`` at work. It ends with the group of the program that started it."""

    def __init__(self, command: Sequence[str], errors: Path, *, line_by_line: bool) -> None:
        """Start it.

        Args:
            errors: the file for what it writes to standard error.
            line_by_line: have each answer printed as it comes, through a terminal;
                otherwise about ten come at once, which costs less.
        """
        self._errors = errors
        self._output, child_output = pty.openpty() if line_by_line else os.pipe()
        if line_by_line:
            tty.setraw(child_output)
        with errors.open("wb") as error_file, _deaf_to_sigterm():
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=child_output, stderr=error_file
            )
        os.close(child_output)

    def follow(self, feed: Callable[[bytes], None], should_stop: Callable[[], bool]) -> None:
        """Hand on what it prints until it has ended; `should_stop` is asked all the while."""
        deadline: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                if selector.select(timeout=0.1):
                    chunk = self._read()
                    if not chunk:
                        break
                    feed(chunk)
                if deadline is None and should_stop():
                    self._process.send_signal(signal.SIGINT)  # ab then writes what it has
                    deadline = time.monotonic() + LAST_WORDS_S
                if deadline is not None and time.monotonic() > deadline:
                    self._process.kill()
                    break
        self._process.wait()
        os.close(self._output)

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def _read(self) -> bytes:
        try:
            return os.read(self._output, 1 << 16)
        except OSError:  # how a terminal says that its other end was closed
            return b""


@contextmanager
def _deaf_to_sigterm() -> Iterator[None]:
    """A child started here never gets SIGTERM: its group's is meant for us, and we stop it
    with SIGINT so that it reports. SIGKILL, the supervisor's last word, ends both."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
