"""Time limits of what runs on other threads: one thread for all of them, which mostly sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class TimeLimits:
    """A `threading.Timer` for each query would cost as much as asking a small one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[int, tuple[float, Callable[[], object]]] = {}
        self._count = 0
        self._wakes_at = float("inf")  # when the thread looks next by itself
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, expire: Callable[[], object]) -> int:
        """Call `expire` in so many seconds, on another thread, unless lifted before."""
        end = time.monotonic() + seconds
        with self._changed:
            self._count += 1
            self._ends[self._count] = end, expire
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="limits", daemon=True)
                self._thread.start()
            if end < self._wakes_at:
                self._changed.notify()
            return self._count

    def lift(self, limit: int) -> None:
        """Returns once `expire` either has been called or never will be."""
        with self._changed:
            self._ends.pop(limit, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for limit, (end, expire) in list(self._ends.items()):
                    if end <= now:
                        del self._ends[limit]
                        expire()
                self._wakes_at = min((end for end, _ in self._ends.values()), default=float("inf"))
                pause = self._wakes_at - now if self._ends else None
                self._changed.wait(pause)
