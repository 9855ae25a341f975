"""What is made once, by whoever needs it first, while the others wait for the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from services.errors import UnavailableError

T = TypeVar("T")


class Shared(Generic[T]):
    """`make()`, remembered once it came through; nobody makes it a second time meanwhile.

    A failure is told to those who waited for it and to nobody else: the next one tries again.
    """

    def __init__(self, make: Callable[[], T], *, limit_s: float) -> None:
        self._make, self._limit_s = make, limit_s
        self._lock = threading.Lock()
        self._attempt: Future[T] | None = None

    def get(self) -> T:
        """What was made.

        Raises:
            UnavailableError: whoever makes it needs longer than one who waits has.
            Exception: whatever `make` raised.
        """
        with self._lock:
            first = self._attempt is None
            attempt = self._attempt = self._attempt or Future()
        if first:
            self._perform(attempt)
        try:
            return attempt.result(self._limit_s)
        except TimeoutError:
            if attempt.done():
                raise
        self._give_up(attempt)
        raise UnavailableError(f"Azure ML did not answer within {self._limit_s:.0f} s.")

    def _perform(self, attempt: Future[T]) -> None:
        try:
            made = self._make()
        except BaseException as error:
            self._give_up(attempt)
            attempt.set_exception(error)
        else:
            attempt.set_result(made)

    def _give_up(self, attempt: Future[T]) -> None:
        with self._lock:
            if self._attempt is attempt:
                self._attempt = None
