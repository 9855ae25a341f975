"""The log of a scoring server: one line per request, a size it does not outgrow.

Lines look like those of Azure's server, in UTC: instant, severity, process, source, text.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

LIMIT_BYTES = 8 * 1024 * 1024  # then the file becomes the older one, and the older one goes
FORMAT = "%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s"


def set_up() -> None:
    """Send what modules log to standard output, where the supervisor keeps it in a file."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stdout)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)


class RequestLog:
    """Lines are gathered and written together, at least at every `flush`."""

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path, self._limit_bytes = path, limit_bytes
        self._lines: list[str] = []
        self._second, self._clock = -1, ""
        self._missing_count = 0
        self._process = f"[{os.getpid()}] scoring -"

    def add(
        self, text: str, *, status: int, duration_ms: float, length: int, reason: str = ""
    ) -> None:
        """One request: ``POST /score``, its status, how long it took, the bytes answered."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        severity = "I" if status < 400 else "W" if status < 500 else "E"
        said = f" {' '.join(reason.split())[:300]}" if reason else ""
        self._lines.append(
            f"{self._clock},{int(now * 1000) % 1000:03d} {severity} {self._process}"
            f" {text} {status} {duration_ms:.3f}ms {length}{said}\n"
        )
        if len(self._lines) >= 500:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered, and start a new file when this one is full.

        A log that cannot be written is no reason to stop serving: how many lines are missing
        is said in their place as soon as there is space again.
        """
        lines, self._lines = self._lines, []
        try:
            if lines:
                sys.stdout.write(self._gap() + "".join(lines))
                sys.stdout.flush()
            self._missing_count = 0
            self._rotate()
        except OSError:
            self._missing_count += len(lines)

    def _gap(self) -> str:
        if not self._missing_count:
            return ""
        return (
            f"\n{self._clock},000 W {self._process}"
            f" {self._missing_count} lines are missing here: the disk was full\n"
        )

    def _rotate(self) -> None:
        here = os.fstat(1)
        if here.st_size < self._limit_bytes:
            return
        try:
            if self._path.stat().st_ino != here.st_ino:
                return  # started by hand: standard output is somebody else's
        except FileNotFoundError:
            return
        self._path.replace(self._path.with_suffix(".log.1"))
        fresh = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(fresh, 1)
        os.dup2(fresh, 2)
        os.close(fresh)
